#include "wire/mail/received.h"

#include "base/buf.h"
#include "base/test.h"

/* Real forms, and some that nobody should write.  What they say, in this order: from,
 * helo, reverse, address, by, via, with, id, for, envelope-from, TLS; "inside"; time. */
static const struct {
	struct str value, want;
} forms[] = {
	{STR("from shodan.irccrew.org (shodan.irccrew.org [80.83.4.2])\r\n\tby "
	     "danu.procontrol.fi (Postfix) with ESMTP id 434B423848\r\n\tfor "
	     "<dovecot@procontrol.fi>; Tue, 23 Jul 2002 19:39:23 +0300 (EEST)"),
	 STR("shodan.irccrew.org|shodan.irccrew.org|shodan.irccrew.org|80.83.4.2|danu."
	     "procontrol.fi||ESMTP|434B423848|dovecot@procontrol.fi||||1027442363")},
	{STR("by shodan.irccrew.org (Postfix, from userid 6976) id 175FA4C0A0; Tue, 23 "
	     "Jul 2002 19:39:23 +0300 (EEST)"),
	 STR("||||shodan.irccrew.org|||175FA4C0A0||||inside|1027442363")},
	{STR("from ns5.trafficmagnet.net (unknown [211.157.101.52]) by "
	     "danu.procontrol.fi (Postfix) with ESMTP id 48C2C23831; Mon,  5 Aug 2002 "
	     "19:26:51 +0300"),
	 STR("ns5.trafficmagnet.net|ns5.trafficmagnet.net||211.157.101.52|danu."
	     "procontrol.fi||ESMTP|48C2C23831|||||1028564811")},
	{STR("with ECARTIS (v1.0.0; list dovecot); Tue, 23 Jul 2002 19:39:23 +0300 "
	     "(EEST)"),
	 STR("||||||ECARTIS||||||1027442363")},
	{STR("(qmail 32442 invoked by uid 1000); 6 Aug 2002 23:40:54 -0000"),
	 STR("|||||||||||inside|1028677254")},
	{STR("(qmail-ldap/ctrl 17429 invoked from network); 11 Aug 2002 21:32:33 -0000"),
	 STR("|||||||||||inside|1029101553")},
	{STR("from unknown (HELO eero) (192.168.0.2) by 0 with SMTP; 11 Aug 2002 "
	     "21:32:33 -0000"),
	 STR("unknown|eero||192.168.0.2|0||SMTP||||||1029101553")},
	{STR("from unknown (HELO ?192.168.1.100?) (dave@127.0.0.1) by localhost with "
	     "SMTP; 5 Jan 2003 23:46:27 -0000"),
	 STR("unknown|?192.168.1.100?||127.0.0.1|localhost||SMTP||||||1041810387")},
	{STR("from allspice-core.nssg.mitel.com (HELO e-smith.com) (10.33.16.12) by "
	     "tripe.nssg.mitel.com (10.33.17.11) with SMTP; 17 Feb 2003 03:01:10 -0000"),
	 STR("allspice-core.nssg.mitel.com|e-smith.com|allspice-core.nssg.mitel.com|10."
	     "33.16.12|tripe.nssg.mitel.com||SMTP||||||1045450870")},
	{STR("from localhost (sendmail-bs@127.0.0.1) by localhost with SMTP; 17 Feb 2003 "
	     "03:01:10 -0000"),
	 STR("localhost|localhost||127.0.0.1|localhost||SMTP||||||1045450870")},
	{STR("from charlieb-dovecot@e-smith.com by tripe.nssg.mitel.com with "
	     "qmail-scanner; 16 Feb 2003 22:01:10 -0000"),
	 STR("charlieb-dovecot@e-smith.com|charlieb-dovecot@e-smith.com|||tripe.nssg."
	     "mitel.com||qmail-scanner|||||inside|1045432870")},
	{STR("from localhost (dag@localhost.localdomain [127.0.0.1]) by horsea.3ti.be "
	     "(8.11.6/8.11.6) with ESMTP id h3ECjwD10019; Mon, 14 Apr 2003 14:45:58 "
	     "+0200"),
	 STR("localhost|localhost|localhost.localdomain|127.0.0.1|horsea.3ti.be||ESMTP|"
	     "h3ECjwD10019|||||1050324358")},
	{STR("from red.harvee.home (red [192.168.25.1] (may be forged)) by harvee.org "
	     "(8.12.8/8.12.8) with ESMTP id h7VK1KiE029762 for "
	     "<esj@harvee.billerica.ma.us>; Sun, 31 Aug 2003 16:01:20 -0400"),
	 STR("red.harvee.home|red.harvee.home|red|192.168.25.1|harvee.org||ESMTP|"
	     "h7VK1KiE029762|esj@harvee.billerica.ma.us||||1062360080")},
	{STR("(from dom@localhost) by cus.org.uk (8.12.6/8.12.6/Submit) id "
	     "h43KwYQu026537; Sat, 3 May 2003 21:58:34 +0100 (BST)"),
	 STR("||||cus.org.uk|||h43KwYQu026537||||inside|1051995514")},
	{STR("from nlladot05.freehosting (nlladot05.intern.ladot.com [172.31.2.13]) by "
	     "zeus.ladot.com (8.12.8/8.12.6) with ESMTP id h2V9GwmB038080; Mon, 31 Mar "
	     "2003 11:16:58 +0200 (CEST) (envelope-from maikel@ladot.com)"),
	 STR("nlladot05.freehosting|nlladot05.freehosting|nlladot05.intern.ladot.com|172."
	     "31.2.13|zeus.ladot.com||ESMTP|h2V9GwmB038080||maikel@ladot.com|||"
	     "1049102218")},
	{STR("from rpunkt.kicks-ass.net ([127.0.0.1]) by localhost (commbox [127.0.0.1]) "
	     "(amavisd-new, port 10024) with LMTP id 23451-09 for "
	     "<dovecot@procontrol.fi>; Thu, 19 Jun 2003 16:06:08 +0000 (GMT)"),
	 STR("rpunkt.kicks-ass.net|rpunkt.kicks-ass.net||127.0.0.1|localhost||LMTP|23451-"
	     "09|dovecot@procontrol.fi||||1056038768")},
	{STR("from timsn by cedar.thtree.com with local (Exim 4.04) id 18m1CO-0004os-00 "
	     "for dovecot@procontrol.fi; Thu, 20 Feb 2003 16:37:56 -0800"),
	 STR("timsn|timsn|||cedar.thtree.com||local|18m1CO-0004os-00|dovecot@procontrol."
	     "fi|||inside|1045787876")},
	{STR("from griffin.mad ([10.10.30.3] ident=martin) by wild with smtp (Exim 3.35 "
	     "#1 (Debian)) id 18Wt8A-0000UI-00; Fri, 10 Jan 2003 06:59:03 +0000"),
	 STR("griffin.mad|griffin.mad||10.10.30.3|wild||smtp|18Wt8A-0000UI-00|||||"
	     "1042181943")},
	{STR("from user-2ivf46j.dialup.mindspring.com ([165.247.144.211] "
	     "helo=marajen.talsever.com) by granger.mail.mindspring.net with esmtp (Exim "
	     "3.33 #1) id 18UHA4-0006K8-00; Thu, 02 Jan 2003 21:02:12 -0500"),
	 STR("user-2ivf46j.dialup.mindspring.com|marajen.talsever.com|user-2ivf46j."
	     "dialup.mindspring.com|165.247.144.211|granger.mail.mindspring.net||esmtp|"
	     "18UHA4-0006K8-00|||||1041559332")},
	{STR("from [209.54.72.175] (helo=madole.net) by omdev.com with smtp (Exim 4.20) "
	     "id 19x9pU-000OMe-Ob; Wed, 10 Sep 2003 14:36:36 -0400"),
	 STR("[209.54.72.175]|madole.net||209.54.72.175|omdev.com||smtp|19x9pU-000OMe-Ob|"
	     "||||1063218996")},
	{STR("from mail.example.org ([192.0.2.7]:41234 helo=mx.example.org) by "
	     "mx.example.net with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) "
	     "(envelope-from <ann@example.org>) id 1sXyz0-0001Ab-2c for bob@example.net; "
	     "Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("mail.example.org|mx.example.org|mail.example.org|192.0.2.7|mx.example.net||"
	     "esmtps|1sXyz0-0001Ab-2c|bob@example.net|ann@example.org|TLS1.3||"
	     "1795334401")},
	{STR("from aural (unknown [192.168.100.88]) (using TLSv1 with cipher "
	     "EDH-RSA-DES-CBC3-SHA (168/168 bits)) (No client certificate requested) by "
	     "rpunkt.kicks-ass.net (Postfix) with ESMTP id 3B099416E4; Wed, 18 Jun 2003 "
	     "15:02:22 +0000 (GMT)"),
	 STR("aural|aural||192.168.100.88|rpunkt.kicks-ass.net||ESMTP|3B099416E4|||using "
	     "TLSv1 with cipher EDH-RSA-DES-CBC3-SHA (168/168 bits)||1055948542")},
	{STR("from attbi.com (12-228-39-116.client.attbi.com[12.228.39.116]) by "
	     "rwcrmhc51.attbi.com (rwcrmhc51) with SMTP id <2002121203141005100ja0rie>; "
	     "Thu, 12 Dec 2002 03:14:11 +0000"),
	 STR("attbi.com|attbi.com|12-228-39-116.client.attbi.com|12.228.39.116|rwcrmhc51."
	     "attbi.com||SMTP|<2002121203141005100ja0rie>|||||1039662851")},
	{STR("from postoffice.sarnoff.com(130.33.10.147) by ace.sarnoff.com via csmap  "
	     "id 8703; Thu, 20 Mar 2003 07:53:22 -0500 (EST)"),
	 STR("postoffice.sarnoff.com|postoffice.sarnoff.com||130.33.10.147|ace.sarnoff."
	     "com|csmap||8703|||||1048164802")},
	{STR("from IT3C91 (Not Verified[90.0.0.91]) by MailMarshalC81.wsl.net.au with "
	     "NetIQ MailMarshal (v5.5.5.8) id <B00003d57b>; Mon, 29 Dec 2003 16:43:19 "
	     "+1100"),
	 STR("IT3C91|IT3C91||90.0.0.91|MailMarshalC81.wsl.net.au||NetIQ "
	     "MailMarshal|<B00003d57b>|||||1072676599")},
	{STR("FROM harvee.org ([192.168.0.10]) BY harvee.org WITH ESMTP ; Tue, 5 Aug "
	     "2003 22:32:21 -0400"),
	 STR("harvee.org|harvee.org||192.168.0.10|harvee.org||ESMTP||||||1060137141")},
	{STR("from 129.241.163.43 (SquirrelMail authenticated user jumper); by phuzz.org "
	     "with HTTP; Fri, 19 Mar 2004 14:28:26 +0100 (CET)"),
	 STR("129.241.163.43|129.241.163.43||129.241.163.43|phuzz.org||HTTP||||||"
	     "1079702906")},
	{STR("from wilberforce.ac.uk (descartes.wilberforce.ac.uk [192.168.100.3]) "
	     "h4MK0OpZ012018 for <dovecot@procontrol.fi>; Thu, 22 May 2003 21:00:25 "
	     "+0100"),
	 STR("wilberforce.ac.uk|wilberforce.ac.uk|descartes.wilberforce.ac.uk|192.168."
	     "100.3|||||dovecot@procontrol.fi||||1053633625")},
	{STR("from 127.0.0.1 (localhost [213.133.103.207])E91761142F5 for "
	     "<dovecot@procontrol.fi>; Mon, 30 Jun 2003 01:52:23 +0200 (CEST)"),
	 STR("127.0.0.1|127.0.0.1|localhost|213.133.103.207|||||dovecot@procontrol.fi||||"
	     "1056930743")},
	{STR("from mail.togami.com [66.139.75.105] by localhost with POP3 "
	     "(fetchmail-5.9.0) for warren@localhost (single-drop); Tue, 01 Apr 2003 "
	     "05:21:08 -1000 (HST)"),
	 STR("mail.togami.com|mail.togami.com||66.139.75.105|localhost||POP3||warren@"
	     "localhost||||1049210468")},
	{STR("from mail pickup service by hotmail.com with Microsoft SMTPSVC; Tue, 15 "
	     "Apr 2003 10:11:12 -0700"),
	 STR("mail pickup service|mail pickup service|||hotmail.com||Microsoft "
	     "SMTPSVC||||||1050426672")},
	{STR("by nlladot05.intern.ladot.com with Internet Mail Service (5.5.2653.19)\tid "
	     "<JMLTK3DL>; Mon, 19 May 2003 08:02:13 +0200"),
	 STR("||||nlladot05.intern.ladot.com||Internet Mail "
	     "Service|<JMLTK3DL>|||||1053324133")},
	{STR("from AM0PR01MB1234.eurprd01.prod.exchangelabs.com (2603:10a6:208:aa::17) "
	     "by DB9PR01MB5678.eurprd01.prod.exchangelabs.com (2603:10a6:10:1d4::5) with "
	     "Microsoft SMTP Server (version=TLS1_2, "
	     "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8158.20 via "
	     "Frontend Transport; Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("AM0PR01MB1234.eurprd01.prod.exchangelabs.com|AM0PR01MB1234.eurprd01.prod."
	     "exchangelabs.com||2603:10a6:208:aa::17|DB9PR01MB5678.eurprd01.prod."
	     "exchangelabs.com|Frontend Transport|Microsoft SMTP "
	     "Server|15.20.8158.20|||version=TLS1_2, "
	     "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384||1795334401")},
	{STR("from mail-sor-f41.google.com (mail-sor-f41.google.com. [209.85.220.41]) by "
	     "mx.google.com with SMTPS id a1-20020a05600c sor for <bob@example.net> "
	     "(Google Transport Security); Sun, 22 Nov 2026 00:00:01 -0800 (PST)"),
	 STR("mail-sor-f41.google.com|mail-sor-f41.google.com|mail-sor-f41.google.com|"
	     "209.85.220.41|mx.google.com||SMTPS|a1-20020a05600c|bob@example.net||||"
	     "1795334401")},
	{STR("from mx.example.org (mx.example.org. [2001:db8::7]) by mx.google.com with "
	     "ESMTPS id x1si2 for <bob@example.net> (version=TLS1_3 "
	     "cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Sun, 22 Nov 2026 00:00:01 "
	     "-0800 (PST)"),
	 STR("mx.example.org|mx.example.org|mx.example.org|2001:db8::7|mx.google.com||"
	     "ESMTPS|x1si2|bob@example.net||version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 "
	     "bits=256/256||1795334401")},
	{STR("by 2002:a05:6a10:1234:b0:5cd:1111:2222 with SMTP id abc12csp345; Sun, 22 "
	     "Nov 2026 00:00:02 -0800 (PST)"),
	 STR("||||2002:a05:6a10:1234:b0:5cd:1111:2222||SMTP|abc12csp345|||||1795334402")},
	{STR("from mail.example.org ([192.0.2.1])\r\n\tby mx.example.net with "
	     "ESMTPS\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid 8sWk2\r\n\tfor "
	     "<bob@example.net>;\r\n\tSun, 22 Nov 2026 08:00:01 +0000"),
	 STR("mail.example.org|mail.example.org||192.0.2.1|mx.example.net||ESMTPS|8sWk2|"
	     "bob@example.net||TLSv1.3 TLS_AES_256_GCM_SHA384||1795334401")},
	{STR("from [IPv6:2001:db8::9] (helo=my pc)\r\n\tby mx.example.net with ESMTP id "
	     "8sWk3; Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("[IPv6:2001:db8::9]|my||2001:db8::9|mx.example.net||ESMTP|8sWk3|||||"
	     "1795334401")},
	{STR("by mx.example.net (Postrider, from user 1000)\r\n\tid 8sWk4;\r\n\tSun, 22 "
	     "Nov 2026 08:00:01 +0000"),
	 STR("||||mx.example.net|||8sWk4||||inside|1795334401")},
	{STR("from a.example by b.example via TCP with ESMTP id 7 for "
	     "<@c.example:x@y.example>; 22 Nov 26 08:00:01 UT"),
	 STR("a.example|a.example|||b.example|TCP|ESMTP|7|@c.example:x@y.example||||"
	     "1795334401")},
	{STR("from a.example (192.0.2.5) by b.example id 7 Sun, 22 Nov 2026 08:00:01 "
	     "+0000"),
	 STR("a.example|a.example||192.0.2.5|b.example|||7|||||1795334401")},
	{STR("from a.example (open [192.0.2.5] by b.example; Sun, 22 Nov 2026 08:00:01 "
	     "+0000"),
	 STR("a.example (open|a.example (open||192.0.2.5|b.example||||||||1795334401")},
	{STR("from \"a b (c.example by b.example; Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("\"a b (c.example|\"a b (c.example|||b.example||||||||1795334401")},
	{STR("from by by by id id; Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("by|by|||by|||id|||||1795334401")},
	{STR("by a.example; by b.example; Sun, 22 Nov 2026 08:00:01 +0000"),
	 STR("||||a.example||||||||1795334401")},
};

static struct str told(const struct mail_received *r, struct buf *buf)
{
	char text[IP_TEXT_BYTES];
	struct str ip = r->has_ip ? ip_text(&r->ip, text) : STR("");

	buf_reset(buf);
	buf_printf(buf, "%.*s|%.*s|%.*s|%.*s|%.*s|", STR_FMT(r->from), STR_FMT(r->helo),
		   STR_FMT(r->reverse), STR_FMT(ip), STR_FMT(r->by));
	buf_printf(buf, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%s|%lld", STR_FMT(r->via),
		   STR_FMT(r->with), STR_FMT(r->id), STR_FMT(r->rcpt), STR_FMT(r->sender),
		   STR_FMT(r->tls), r->is_inside ? "inside" : "",
		   (long long)r->date.unix_s);
	return buf_str(buf);
}

TEST(received_fields_of_the_world_are_understood)
{
	struct mail_received received;
	struct buf buf = BUF(10000);

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		CHECK(mail_received_parse(forms[i].value, &received));
		CHECK_STR(told(&received, &buf), forms[i].want);
	}
	buf_fini(&buf);
}

static const struct str nonsense[] = {
	STR(""),
	STR("from(hitao@vip.sina.com) to(dovecot@dovecot.org)"),
	STR("from ke by kalle.dyndns.org with local (Exim 4.24) id 1AmbPw-0000Is-2O for: "
	    "10:11 +0200"),
	STR("; Sun, 22 Nov 2026 08:00:01 +0000"),
	STR("from a.example by b.example"),
	STR("(((((((((("),
	STR("qmail"),
};

TEST(received_fields_without_time_or_server_are_not_understood)
{
	struct mail_received received;

	for (size_t i = 0; i < COUNT_OF(nonsense); i++)
		CHECK(!mail_received_parse(nonsense[i], &received));
}

TEST(what_a_broken_received_field_says_is_kept)
{
	struct mail_received received;

	CHECK(!mail_received_parse(STR("from a (b [192.0.2.1]) by c id 7; yesterday"),
				   &received));
	CHECK_STR(received.by, STR("c"));
	CHECK(received.has_ip);
	CHECK(!received.has_date);
}

TEST(a_received_field_of_a_megabyte_costs_no_more_than_its_bound)
{
	struct mail_received received;
	struct buf buf = BUF(2000000);

	for (size_t i = 0; i < 1000000; i++)
		buf_add_byte(&buf, "(\"<;"[i % 4]);
	CHECK(!mail_received_parse(buf_str(&buf), &received));
	buf_reset(&buf);
	buf_add(&buf, STR("by a.example; "));
	for (size_t i = 0; i < MAIL_RECEIVED_BYTES_MAX; i++)
		buf_add_byte(&buf, ' ');
	buf_add(&buf, STR("Sun, 22 Nov 2026 08:00:01 +0000"));
	CHECK(!mail_received_parse(buf_str(&buf), &received));
	CHECK_STR(received.by, STR("a.example"));
	buf_fini(&buf);
}
