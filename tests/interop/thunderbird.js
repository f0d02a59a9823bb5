// What thunderbird.py has Thunderbird do.  It runs inside Thunderbird, as the code of its own
// windows does; each verb takes one object and gives back what JSON can hold.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

const FLAGS = { 0x1: "\\Seen", 0x2: "\\Answered", 0x4: "\\Flagged", 0x1000: "$Forwarded", 0x200000: "\\Deleted" };

const serverOf = user => MailServices.accounts.allServers.find(s => s.type == "imap" && s.username == user);

// Names as people see them, from the account down; INBOX under its own.
function pathOf(folder) {
	if (folder.getFlag(Ci.nsMsgFolderFlags.Inbox)) {
		return "INBOX";
	}
	return folder.parent.isServer ? folder.name : `${pathOf(folder.parent)}/${folder.name}`;
}

const boxesOf = user => serverOf(user).rootFolder.descendants.filter(f => !f.getFlag(Ci.nsMsgFolderFlags.Virtual));

function boxOf(user, path) {
	const found = boxesOf(user).find(folder => pathOf(folder) == path);
	if (!found) {
		throw new Error(`no ${path} among ${boxesOf(user).map(pathOf)}`);
	}
	return found;
}

const numberOf = header => Number(header.getStringProperty("x-number"));

function headersOf(folder, numbers) {
	const all = [...folder.messages];
	return numbers.map(number => all.find(header => numberOf(header) == number));
}

// The end of something that Thunderbird begins and reports to whatever is given to begin().
function finished(begin) {
	return new Promise((resolve, reject) => {
		const end = status => (status ? reject(new Error(`0x${status.toString(16)}`)) : resolve());
		begin({
			QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener", "nsIMsgSendListener"]),
			OnStartRunningUrl() {},
			OnStopRunningUrl: (url, status) => end(status),
			onStartCopy() {},
			onProgress() {},
			setMessageKey() {},
			getMessageId: () => null,
			onStopCopy: end,
			onStartSending() {},
			onSendProgress() {},
			onStatus() {},
			onGetDraftFolderURI() {},
			onStopSending: (id, status) => end(status),
			onSendNotPerformed: (id, status) => end(status || Cr.NS_ERROR_FAILURE),
			onTransportSecurityError: (id, status) => end(status),
		});
	});
}

async function until(condition, what) {
	for (let tries = 0; tries < 200; tries++) {
		if (condition()) {
			return;
		}
		await new Promise(resolve => setTimeout(resolve, 100));
	}
	throw new Error(`waited in vain: ${what}`);
}

function octets(stream, count) {
	const binary = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
	binary.setInputStream(stream);
	return binary.readBytes(count);
}

function allOctets(stream) {
	let text = "";
	for (let count = stream.available(); count; count = stream.available()) {
		text += octets(stream, count);
	}
	return text;
}

const verbs = {
	// The certificate is taken as people do who click on "Confirm Security Exception".
	trust({ port, certificate }) {
		const found = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).constructX509FromBase64(certificate);
		Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
			.rememberValidityOverride("127.0.0.1", port, {}, found, false);
	},

	async keepPassword({ origin, user, password }) {
		const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
		login.init(origin, null, origin, user, password, "", "");
		await Services.logins.addLoginAsync(login);
	},

	boxes: ({ user }) => Object.fromEntries(boxesOf(user).map(folder => [pathOf(folder), folder.flags])),

	// As when somebody clicks on it: what comes of it shows later.
	open: ({ user, box }) => boxOf(user, box).updateFolder(null),

	list: ({ user, box }) => [...boxOf(user, box).messages].map(header => ({
		number: numberOf(header),
		uid: header.messageKey,
		size: header.messageSize,
		subject: header.mime2DecodedSubject,
		flags: Object.keys(FLAGS).filter(bit => header.flags & bit).map(bit => FLAGS[bit])
			.concat(header.getStringProperty("keywords").split(" ").filter(Boolean)),
	})),

	// Its own, and those that the server told.
	counts({ user, box }) {
		const folder = boxOf(user, box);
		const { serverTotal, serverNextUID } = folder.QueryInterface(Ci.nsIMsgImapMailFolder);
		return [folder.getTotalMessages(false), folder.getNumUnread(false), serverTotal, serverNextUID];
	},

	async download({ user, box }) {
		const folder = boxOf(user, box);
		await until(() => !folder.locked, "turn"); /* it may be at something of its own */
		await finished(end => folder.downloadAllForOffline(end, null));
		await until(() => [...folder.messages].every(header => header.flags & Ci.nsMsgMessageFlags.Offline), "texts");
		return [...folder.messages].map(header => ({
			number: numberOf(header), text: btoa(allOctets(folder.getMsgInputStream(header))) }));
	},

	// People may choose for each mailbox.
	keepNoTexts: ({ user, box }) => boxOf(user, box).clearFlag(Ci.nsMsgFolderFlags.Offline),

	// As when somebody looks at a message.
	async read({ user, box, number }) {
		const folder = boxOf(user, box);
		const uri = folder.getUriForMsg(headersOf(folder, [number])[0]);
		let text = "";
		await new Promise((resolve, reject) => MailServices.messageServiceFromURI(uri).streamMessage(uri, {
			QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
			onStartRequest() {},
			onDataAvailable: (request, stream, offset, count) => (text += octets(stream, count)),
			onStopRequest: (request, status) => (status ? reject(new Error(`0x${status.toString(16)}`)) : resolve()),
		}, null, null, false, "", false));
		return btoa(text);
	},

	mark({ user, box, numbers, how, keywords }) {
		const folder = boxOf(user, box);
		const headers = headersOf(folder, numbers);
		const state = name => headers.forEach(header => folder.addMessageDispositionState(header, Ci.nsIMsgFolder[name]));
		({
			read: () => folder.markMessagesRead(headers, true),
			unread: () => folder.markMessagesRead(headers, false),
			star: () => folder.markMessagesFlagged(headers, true),
			unstar: () => folder.markMessagesFlagged(headers, false),
			tag: () => folder.addKeywordsToMessages(headers, keywords),
			untag: () => folder.removeKeywordsFromMessages(headers, keywords),
			replied: () => state("nsMsgDispositionState_Replied"),
			forwarded: () => state("nsMsgDispositionState_Forwarded"),
			junk: () => folder.setJunkScoreForMessages(headers, Ci.nsIJunkMailPlugin.IS_SPAM_SCORE, "user", -1),
		})[how]();
	},

	async create({ user, under, name }) {
		const parent = under ? boxOf(user, under) : serverOf(user).rootFolder;
		parent.createSubfolder(name, null);
		await until(() => parent.containsChildNamed(name), name);
	},

	async rename({ user, box, name }) {
		const folder = boxOf(user, box);
		const parent = folder.parent;
		folder.rename(name, null);
		await until(() => parent.containsChildNamed(name), name);
	},

	async moveBox({ user, box, to }) {
		await finished(end => MailServices.copy.copyFolder(boxOf(user, box), boxOf(user, to), true, end, null));
	},

	async carry({ user, box, numbers, to, isMove }) {
		const folder = boxOf(user, box);
		await finished(end => MailServices.copy.copyMessages(
			folder, headersOf(folder, numbers), boxOf(user, to), isMove, end, null, false));
	},

	async throwAway({ user, box, numbers, isForGood }) {
		const folder = boxOf(user, box);
		await finished(end => folder.deleteMessages(headersOf(folder, numbers), null, isForGood, false, end, false));
	},

	emptyTrash: ({ user }) => finished(end => boxOf(user, "Trash").emptyTrash(end)),

	compact: ({ user, box }) => finished(end => boxOf(user, box).compact(end, null)),

	async send({ user, to, subject, text, isDraft }) {
		const account = MailServices.accounts.findAccountForServer(serverOf(user));
		const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
		const identity = account.defaultIdentity;
		fields.from = identity.email;
		fields.to = to;
		fields.subject = subject;
		await finished(end => Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend).createAndSendMessage(
			null, identity, account.key, fields, false, false,
			isDraft ? Ci.nsIMsgSend.nsMsgSaveAsDraft : Ci.nsIMsgSend.nsMsgDeliverNow,
			null, "text/plain", text, null, null, end, "", "", Ci.nsIMsgCompType.New));
	},

	// Asks the server, as "Run search on server" in the window for searches does.
	async search({ user, box, where, words }) {
		const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
		const term = session.createTerm();
		const value = term.value;
		term.attrib = value.attrib = Ci.nsMsgSearchAttrib[where];
		value.str = words;
		term.value = value;
		term.op = Ci.nsMsgSearchOp.Contains;
		session.appendTerm(term);
		session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, boxOf(user, box));
		const found = [];
		await new Promise((resolve, reject) => {
			session.registerListener({
				QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
				onNewSearch() {},
				onSearchHit: header => found.push(numberOf(header)),
				onSearchDone: status => (status ? reject(new Error(`0x${status.toString(16)}`)) : resolve()),
			});
			session.search(null);
		});
		return found;
	},

	quit: () => setTimeout(() => Services.startup.quit(Ci.nsIAppStartup.eAttemptQuit), 0),
};

return Promise.resolve(verbs[arguments[0]](arguments[1])).then(value => value ?? null);
