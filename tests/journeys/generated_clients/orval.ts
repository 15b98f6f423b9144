// The integrator's day by the client that orval generates.

import * as api from "./generated/orval";
import { done, hear, must, same, settings, until } from "./lines";

const { site, key, domain, sender, hook } = settings;
const headers = { Authorization: `Bearer ${key}` };
// It sends no Content-Type of its own where an operation takes more than one.
const asJson = { headers: { ...headers, "Content-Type": "application/json" } };

async function mailboxOf(address: string): Promise<number> {
  const found = await api.mailboxesList({ address }, { headers });
  if (found.status !== 200) throw new Error(found.data.detail);
  return must(found.data.results[0]).id;
}

async function raw(id: number): Promise<string> {
  const found = await api.messagesRawRetrieve(id, { headers });
  if (found.status !== 200) throw new Error("The message is not there.");
  return await found.data.text();
}

async function day(): Promise<void> {
  const endpoint = await api.webhooksCreate(
    { url: hook, events: ["message.received"] },
    { headers },
  );
  if (endpoint.status !== 201) throw new Error(endpoint.data.detail);
  const address = `orval@${domain}`;
  const added = await api.peopleCreate(
    { address, name: "Orla Orval", everyday_address: "orla@home.example" },
    { headers: { ...headers, "Idempotency-Key": "orval" } },
  );
  if (added.status !== 201) throw new Error(added.data.detail);
  const person = added.data;
  const mailbox = await mailboxOf(address);
  const letter = {
    mailbox: await mailboxOf(sender),
    to: [address],
    subject: "To Orla",
    text: "Welcome.",
  };
  const sent = await api.messagesCreate(letter, asJson);
  if (sent.status !== 202) throw new Error(sent.data.detail);
  const { reference } = sent.data;
  const listed = await until(async () => {
    const found = await api.messagesList({ mailbox }, { headers });
    if (found.status !== 200) throw new Error(found.data.detail);
    return found.data.results.find((one) => one.reference === reference);
  });
  same((await raw(listed.id)).includes("Subject: To Orla"), true);

  const event = await hear<{ type: string; data: { message: number | null } }>({
    reference,
    secret: endpoint.data.secret,
  });
  same(event.type, "message.received");
  same(event.data.message, listed.id);
  same((await raw(must(event.data.message))).includes("Welcome."), true);

  const link = await api.peopleSignInLink(person.id, { headers });
  same(link.status === 202 && link.data.sent_to, "orla@home.example");
  const given = await api.peopleGiveAdministrator(person.id, { headers });
  same(given.status === 200 && given.data.roles, ["administrator"]);
  same((await api.peopleTakeAdministrator(person.id, { headers })).status, 204);
  const left = await api.peopleSuspendCreate(person.id, { reason: "Left" }, { headers });
  same(left.status === 200 && left.data.is_active, false);
  const problem = await api.peopleRetrieve(2 ** 40, { headers });
  if (problem.status === 200) throw new Error("There is no such person.");
  same(problem.data.type, `${site}/api/problems#not-found`);
  done();
}

void day();
