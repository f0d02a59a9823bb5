// imapflow does what it is told: one JSON object a line comes in ({"do": ..., ...}), and one goes
// out, {"did": ...} or {"error": ...}.  What the server tells meanwhile is {"event": ...}.
//
//     node client.mjs PORT USER QRESYNC
import { ImapFlow } from "imapflow";
import readline from "node:readline";

const [port, user, qresync] = process.argv.slice(2);
const client = new ImapFlow({
	host: "127.0.0.1", port: Number(port), secure: false, doSTARTTLS: false, logger: false,
	auth: { user, pass: "pass" }, qresync: qresync === "yes",
});
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const plain = (value) => {
	if (typeof value === "bigint") return Number(value);
	if (value instanceof Set) return [...value].filter((flag) => flag !== "\\Recent").sort(); // of one session
	if (value instanceof Map) return [...value];
	if (Buffer.isBuffer(value)) return value.toString("base64");
	if (Array.isArray(value)) return value.map(plain);
	if (value && typeof value === "object")
		return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
	return value;
};
const all = async (range, query, options) => {
	const found = [];
	for await (const message of client.fetch(range, query, options)) found.push(plain(message));
	return found;
};
const uid = { uid: true };
const verbs = {
	open: async ({ box }) => client.mailboxOpen(box),
	list: async ({ since }) => client.mailbox.exists === 0 ? []
		: all("1:*", { uid: true, flags: true }, since ? { uid: true, changedSince: BigInt(since) } : uid),
	read: async () => all("1:*", { uid: true, flags: true, source: true }, uid),
	structure: async () => all("1:*", { uid: true, envelope: true, bodyStructure: true, internalDate: true, size: true },
		uid),
	flag: async ({ uids, add, remove }) => add ? client.messageFlagsAdd(uids, add, uid)
		: client.messageFlagsRemove(uids, remove, uid),
	copy: async ({ uids, to }) => client.messageCopy(uids, to, uid),
	move: async ({ uids, to }) => client.messageMove(uids, to, uid),
	remove: async ({ uids }) => client.messageDelete(uids, uid),
	append: async ({ to, text, flags }) => client.append(to, Buffer.from(text, "base64"), flags),
	search: async ({ query }) => client.search(query, uid),
	create: async ({ box }) => client.mailboxCreate(box),
	boxes: async () => (await client.list()).map(({ path, specialUse }) => ({ path, specialUse })),
	status: async ({ box }) => client.status(box, { messages: true, uidNext: true, highestModseq: true }),
	idle: async () => { client.idle(); return true; }, // goes on until the next command
	noop: async () => client.noop(),
	leave: async () => client.logout(),
};

for (const event of ["exists", "expunge", "flags"]) client.on(event, (told) => say({ event, ...plain(told) }));
client.on("error", (error) => say({ error: String(error) }));
await client.connect();
say({ did: [...client.capabilities.keys()] });
for await (const line of readline.createInterface({ input: process.stdin })) {
	const order = JSON.parse(line);
	try {
		say({ did: plain(await verbs[order.do](order)) ?? null });
	} catch (error) {
		say({ error: `${error} ${error.responseText ?? ""}` });
	}
	if (order.do === "leave") break;
}
