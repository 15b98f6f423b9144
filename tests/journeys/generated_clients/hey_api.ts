// The integrator's day by the client that hey-api generates.

import { client } from "./generated/hey_api/client.gen";
import * as api from "./generated/hey_api/sdk.gen";
import type { WebhookMessageReceivedWebhookPayload as Received } from "./generated/hey_api/types.gen";
import { done, hear, must, same, settings, until } from "./lines";

const { site, key, domain, sender, hook } = settings;
client.setConfig({ baseUrl: site, auth: key });

async function mailboxOf(address: string): Promise<number> {
  const { data } = await api.mailboxesList({ query: { address } });
  return must(must(data).results[0]).id;
}

async function raw(id: number): Promise<string> {
  const { data } = await api.messagesRawRetrieve({ path: { id }, parseAs: "blob" });
  return await (must(data) as Blob).text();
}

async function day(): Promise<void> {
  const endpoint = await api.webhooksCreate({
    body: { url: hook, events: ["message.received"] },
  });
  const address = `hey@${domain}`;
  const added = await api.peopleCreate({
    headers: { "Idempotency-Key": "hey-api" },
    body: { address, name: "Hetty Hey", everyday_address: "hetty@home.example" },
  });
  const person = must(added.data);
  const mailbox = await mailboxOf(address);
  const from = await mailboxOf(sender);
  const sent = await api.messagesCreate({
    body: {
      mailbox: from,
      to: [address],
      subject: "To Hetty",
      text: "Welcome.",
    },
  });
  const { reference } = must(sent.data);
  const listed = await until(async () => {
    const { data } = await api.messagesList({ query: { mailbox } });
    return must(data).results.find((one) => one.reference === reference);
  });
  same((await raw(listed.id)).includes("Subject: To Hetty"), true);

  const event = await hear<Received>({ reference, secret: must(endpoint.data).secret });
  same(event.type, "message.received");
  same(event.data.message, listed.id);
  same((await raw(must(event.data.message))).includes("Welcome."), true);

  const path = { person_id: person.id };
  const link = await api.peopleSignInLink({ path });
  same(must(link.data).sent_to, "hetty@home.example");
  same(must((await api.peopleGiveAdministrator({ path })).data).roles, ["administrator"]);
  same((await api.peopleTakeAdministrator({ path })).response?.status, 204);
  const left = await api.peopleSuspendCreate({
    path: { id: person.id },
    body: { reason: "Left" },
  });
  same(must(left.data).is_active, false);
  const problem = await api.peopleRetrieve({ path: { id: 2 ** 40 } });
  same(must(problem.error).type, `${site}/api/problems#not-found`);
  done();
}

void day();
