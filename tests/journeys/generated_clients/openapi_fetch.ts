// The integrator's day by openapi-fetch, with types by openapi-typescript.

import createClient from "openapi-fetch";
import type { paths, webhooks } from "./generated/openapi_typescript";
import { done, hear, must, same, settings, until } from "./lines";

type Received =
  webhooks["message.received"]["post"]["requestBody"]["content"]["application/json"];

const { site, key, domain, sender, hook } = settings;
const api = createClient<paths>({
  baseUrl: site,
  headers: { Authorization: `Bearer ${key}` },
});

async function mailboxOf(address: string): Promise<number> {
  const { data } = await api.GET("/api/v1/mailboxes", { params: { query: { address } } });
  return must(must(data).results[0]).id;
}

async function raw(id: number): Promise<string> {
  const { data } = await api.GET("/api/v1/messages/{id}/raw", {
    params: { path: { id } },
    parseAs: "text",
  });
  return must(data) as string;
}

async function day(): Promise<void> {
  const endpoint = await api.POST("/api/v1/webhooks", {
    body: { url: hook, events: ["message.received"] },
  });
  const address = `fetch@${domain}`;
  const added = await api.POST("/api/v1/people", {
    params: { header: { "Idempotency-Key": "openapi-fetch" } },
    body: { address, name: "Fay Fetch", everyday_address: "fay@home.example" },
  });
  const person = must(added.data);
  const mailbox = await mailboxOf(address);
  const from = await mailboxOf(sender);
  const sent = await api.POST("/api/v1/messages", {
    body: {
      mailbox: from,
      to: [address],
      subject: "To Fay",
      text: "Welcome.",
    },
  });
  const { reference } = must(sent.data);
  const listed = await until(async () => {
    const { data } = await api.GET("/api/v1/messages", { params: { query: { mailbox } } });
    return must(data).results.find((one) => one.reference === reference);
  });
  same((await raw(listed.id)).includes("Subject: To Fay"), true);

  const event = await hear<Received>({ reference, secret: must(endpoint.data).secret });
  same(event.type, "message.received");
  same(event.data.message, listed.id);
  same((await raw(must(event.data.message))).includes("Welcome."), true);

  const path = { person_id: person.id };
  const link = await api.POST("/api/v1/people/{person_id}/sign-in-link", { params: { path } });
  same(must(link.data).sent_to, "fay@home.example");
  const at = "/api/v1/people/{person_id}/roles/administrator";
  same(must((await api.PUT(at, { params: { path } })).data).roles, ["administrator"]);
  same((await api.DELETE(at, { params: { path } })).response.status, 204);
  const left = await api.POST("/api/v1/people/{id}/suspend", {
    params: { path: { id: person.id } },
    body: { reason: "Left" },
  });
  same(must(left.data).is_active, false);
  const problem = await api.GET("/api/v1/people/{id}", { params: { path: { id: 2 ** 40 } } });
  same(must(problem.error).type, `${site}/api/problems#not-found`);
  done();
}

void day();
