#include "store/words.h"

/* A dictionary of zstd's in three parts: how often which letter, length and distance
 * comes up, then what mails' bodies say again and again, then what their headers do; the
 * more often, the nearer to the end.  Mail is written with it, so it never changes:
 * another one has another id, and digests with it are another version.
 *
 * The first part is what build/wordstable said of 1,618 mails of a list, 48 of MIME
 * suites and 1,500 of the mix of tests/bench/space.py. */
#define STATISTICS                                                                       \
	"\067\244\060\354\000\200\000\000\104\020\250\102\333\034\060\063"               \
	"\063\063\063\063\063\063\063\063\263\124\373\233\225\122\144\154"               \
	"\221\135\073\102\233\222\210\114\132\306\201\151\374\377\014\003"               \
	"\323\370\031\154\104\104\110\250\216\265\265\265\321\046\351\155"               \
	"\235\337\101\241\152\310\040\321\050\215\303\215\004\343\000\030"               \
	"\014\016\222\310\046\343\251\201\272\000\004\200\200\032\041\037"               \
	"\024\020\215\045\022\301\040\114\161\030\007\062\020\206\030\060"               \
	"\306\050\100\214\001\000\103\102\042\000\000\000\000\004\355\110"               \
	"\004\023\171\064\030\213\205\222\040\207\161\040\207\051\351\234"               \
	"\252\032\000\000\000\001\000\000\000\004\000\000\000\010\000\000"               \
	"\000"

#define BODIES                                                                           \
	"PHPMailer Amavis SpamAssassin Mailman Message-Id: <@example.com>\r\n"           \
	"User-Agent: Mutt/1.\r\n"                                                        \
	"X-Mailer: Apple Mail (2.36)\r\n"                                                \
	"-----BEGIN PGP SIGNATURE-----\r\n\r\n"                                          \
	"-----END PGP SIGNATURE-----\r\n"                                                \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//\r\nMETHOD:REQUEST\r\n"             \
	"BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20\r\nDTEND\r\nSUMMARY:\r\n"         \
	"UID:\r\nORGANIZER;CN=\r\nATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;"      \
	"PARTSTAT=NEEDS-ACTION;RSVP=TRUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"             \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"                                 \
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "              \
	"\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\r\n"               \
	"<html xmlns=\"http://www.w3.org/1999/xhtml\" "                                  \
	"xmlns:v=\"urn:schemas-microsoft-com:vml\" "                                     \
	"xmlns:o=\"urn:schemas-microsoft-com:office:office\" lang=\"en\">\r\n"           \
	"<!--[if mso]><v:rect ><![endif]--><!--[if (gte mso 9)|(IE)]>\r\n"               \
	"@media only screen and (max-width: 600px) { .container { width: 100% "          \
	"!important; } }\r\n"                                                            \
	"p.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0cm; font-size:11.0pt; "       \
	"font-family:\"Calibri\",sans-serif;}\r\n"                                       \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">"     \
	"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">"        \
	"<style type=\"text/css\">\r\n"                                                  \
	"</style></head><body style=\"margin: 0; padding: 0; background-color: "         \
	"#ffffff; color: #000000; font-family: Arial, Helvetica, sans-serif; "           \
	"font-size: 14px; line-height: 1.5;\">\r\n"                                      \
	"<table role=\"presentation\" border=\"0\" cellpadding=\"0\" "                   \
	"cellspacing=\"0\" width=\"100%\" align=\"center\" bgcolor=\"#ffffff\" "         \
	"style=\"border-collapse: collapse; mso-table-lspace: 0pt; "                     \
	"-webkit-text-size-adjust: 100%; text-decoration: none; display: block; "        \
	"vertical-align: top; text-align: left; font-weight: bold;\">"                   \
	"<tbody><tr><td align=\"left\" valign=\"top\" class=\"\" style=\"padding: "      \
	"10px 20px;\"><p style=\"margin: 0 0 16px;\"><span style=\"color:#333333\">"     \
	"</span></p></td></tr></tbody></table>\r\n"                                      \
	"<img src=\"https://www. alt=\"\" width=\"1\" height=\"1\" border=\"0\" "        \
	"style=\"display:block\"><a href=\"https:// target=\"_blank\" "                  \
	"rel=\"noopener\"></a><strong></strong><b></b><br>&nbsp;<ul><li></li></ul>"      \
	"<h1></h1><h2></h2><blockquote type=\"cite\" class=\"gmail_quote\" "             \
	"style=\"margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex\">"       \
	"</blockquote><div dir=\"ltr\"><div><br></div></div></body></html>\r\n"          \
	"This is a multi-part message in MIME format.\r\n"                               \
	"=C3=A4=C3=B6=C3=BC=C3=9F=E2=80=99=E2=80=93=20=3D=\r\n"                          \
	"<div style=3D\"font-family:<a href=3D\"https://<br>=20\r\n"                     \
	"_______________________________________________\r\n"                            \
	"mailing list\r\n"                                                               \
	"http://lists./listinfo/\r\n"                                                    \
	"To unsubscribe from this list, click here https://www.facebook.com "            \
	"https://twitter.com Privacy Policy All rights reserved. Best regards, "         \
	"Thanks, Hello, Hi, Dear , Mit freundlichen Gr Kind regards, "                   \
	"Sent from my iPhone\r\n"                                                        \
	"-----Original Message-----\r\nFrom: \r\nSent: \r\n> On wrote:\r\n> \r\n"        \
	" the and you that this with your for have not are from will would can if "      \
	"it is be to of in on at by as or we an was but please which there they "        \
	"what when all any about more some has been one der die und das ist nicht "      \
	"ein eine mit von zu auf den im f\r\n"

#define HEADERS                                                                          \
	"attachment; filename*=utf-8''; creation-date; modification-date; size\n"        \
	"inline; filename=\"image001.png\" image/png name=\"image001.png\" "             \
	"image/jpeg image/gif base64 <image001.png@01D\n"                                \
	"application/octet-stream application/pdf name filename attachment .pdf "        \
	".docx .xlsx .zip text/calendar method REQUEST application/pkcs7-signature "     \
	"smime.p7s message/rfc822 message/delivery-status\n"                             \
	"multipart/mixed boundary multipart/related type multipart/signed protocol "     \
	"micalg multipart/report report-type multipart/alternative boundary "            \
	"text/html charset utf-8 text/plain charset us-ascii iso-8859-1 windows-1252 "   \
	"format flowed quoted-printable\n"                                               \
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"                          \
	"List-Unsubscribe: <https://www.\r\n"                                            \
	"List-Id: <\r\n"                                                                 \
	"List-Post: <mailto:\r\n"                                                        \
	"List-Help: <\r\n"                                                               \
	"List-Subscribe: <\r\n"                                                          \
	"List-Archive: <\r\n"                                                            \
	"Precedence: bulk\r\n"                                                           \
	"Feedback-ID: \r\n"                                                              \
	"Errors-To: \r\n"                                                                \
	"Sender: \r\n"                                                                   \
	"Auto-Submitted: auto-generated\r\n"                                             \
	"X-Auto-Response-Suppress: All\r\n"                                              \
	"Importance: normal\r\n"                                                         \
	"X-Priority: 3 (Normal)\r\n"                                                     \
	"X-Originating-IP: [\r\n"                                                        \
	"X-Google-Smtp-Source: \r\n"                                                     \
	"X-Gm-Message-State: \r\n"                                                       \
	"X-Received: by 2002:a05:\r\n"                                                   \
	"X-Spam-Status: No, score=-\r\n"                                                 \
	"X-Mailer: Microsoft Outlook 16.0\r\n"                                           \
	"Thread-Index: \r\n"                                                             \
	"Thread-Topic: \r\n"                                                             \
	"Accept-Language: en-US, de-DE\r\n"                                              \
	"X-MS-Has-Attach: \r\n"                                                          \
	"X-MS-Exchange-Organization-SCL: \r\n"                                           \
	"User-Agent: Mozilla Thunderbird\r\n"                                            \
	"Organization: \r\n"                                                             \
	"\n"                                                                             \
	"ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=google.com; s=arc-20\r\n"          \
	"ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; \r\n"              \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=gmail.com; s=20; "      \
	"t=17; x=17; darn=; q=dns/txt; "                                                 \
	"h=to:subject:message-id:date:from:mime-version:from:to:cc:subject:date:"        \
	"message-"                                                                       \
	"id:reply-to:content-type:content-transfer-encoding:in-reply-to:references;\r\n" \
	" bh=; b=\r\n"                                                                   \
	"\n"                                                                             \
	"Authentication-Results: mx.; dkim=pass header.d= header.i=@ header.s=; "        \
	"spf=pass smtp.mailfrom=; dmarc=pass (p=none) header.from=\r\n"                  \
	"Received-SPF: pass\r\n"                                                         \
	"\n"                                                                             \
	"Reply-To: \r\n"                                                                 \
	"Cc: \r\n"                                                                       \
	"Bcc: \r\n"                                                                      \
	"Delivered-To: \r\n"                                                             \
	"Return-Path: <\r\n"                                                             \
	"Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"             \
	"\tby mx.example.com (Postfix) with ESMTP id \r\n"                               \
	"\tby mx. with ESMTPS id ;\r\n"                                                  \
	"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"         \
	"\tkey-exchange X25519 server-signature RSA-PSS (2048 bits)) (No client "        \
	"certificate requested)\r\n"                                                     \
	"\tfor <user@example.com>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"             \
	"Received: from localhost (localhost [127.0.0.1]) with ESMTPSA with SMTP id\n"   \
	"Tue, Wed, Thu, Fri, Sat, Sun, Jan 2025 Feb 2026 Mar 2027 Apr May Jun Jul "      \
	"Aug Sep 2026 10:00:00 +0100 Oct 2026 12:00:00 +0200 Nov 2026 09:30:00 -0500 "   \
	"Dec 2026 -0700\n"                                                               \
	"gmail.com outlook.com yahoo.com hotmail.com .example.net .local\n"              \
	"Message-ID: <\r\n"                                                              \
	"Date: \r\n"                                                                     \
	"From: \"\r\n"                                                                   \
	"From: \r\n"                                                                     \
	"To: <\r\n"                                                                      \
	"To: \"\r\n"                                                                     \
	"Subject: =?UTF-8?Q?\r\n"                                                        \
	"Subject: =?utf-8?B?\r\n"                                                        \
	"Subject: Re: Fwd: AW: \r\n"                                                     \
	"MIME-Version: 1.0\r\n"                                                          \
	"In-Reply-To: <\r\n"                                                             \
	"References: <\r\n"                                                              \
	"Content-Transfer-Encoding: quoted-printable\r\n"                                \
	"Content-Transfer-Encoding: base64\r\n"                                          \
	"Content-Transfer-Encoding: 7bit\r\n"                                            \
	"Content-Transfer-Encoding: 8bit\r\n"                                            \
	"Content-Language: en-US\r\n"                                                    \
	"Content-Disposition: inline\r\n"                                                \
	"Content-Type: multipart/alternative; boundary=\"--=_NextPart_000_\"\r\n"        \
	"Content-Type: multipart/mixed; boundary=\"\r\n"                                 \
	"Content-Type: text/html; charset=\"UTF-8\"\r\n"                                 \
	"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n"                     \
	"Content-Type: text/plain; charset=utf-8\r\n"                                    \
	"\r\n"

static const char table[] = STATISTICS BODIES HEADERS;

const struct str words_table = {table, sizeof table - 1};
const struct str words_alone = {table + sizeof STATISTICS - 1,
				sizeof table - sizeof STATISTICS};
const struct str words_of_headers = {table + sizeof table - sizeof HEADERS,
				     sizeof HEADERS - 1};
