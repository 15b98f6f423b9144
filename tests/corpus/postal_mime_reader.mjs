// Reads each message of a list by postal-mime, and prints its leaves.
//
// The parser joins texts and chooses among them for a reader. Its tree is as the sender
// wrote it: every leaf of it is printed, and the leaves of an attached message after it.

import PostalMime, { decodeWords } from "postal-mime";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const MESSAGES = ["message/rfc822", "message/global", "message/news"];

async function leavesOf(raw) {
  const parser = new PostalMime({ forceRfc822Attachments: true });
  await parser.parse(raw);
  const leaves = [];
  for (const node of nodesOf(parser.root)) leaves.push(await leafOf(node));
  return leaves;
}

function withoutLastLineEnds(octets) {
  let end = octets.length;
  while (end > 0 && octets[end - 1] === 10) end--;
  return octets.subarray(0, end);
}

function* nodesOf(node) {
  if (!node.contentType.multipart) yield node;
  for (const child of node.childNodes) yield* nodesOf(child);
}

async function leafOf(node) {
  const type = node.contentType.parsed;
  const octets = Buffer.from(node.content ?? new ArrayBuffer(0));
  const isBase64 = /base64/i.test(node.contentTransferEncoding.encoding);
  // The parser works line by line, and ends each with LF.
  const counted = isBase64 ? octets : withoutLastLineEnds(octets);
  const name = node.contentDisposition.parsed.params.filename || type.params.name || "";
  return {
    type: type.value,
    charset: type.params.charset ?? "",
    name: decodeWords(name),
    disposition: node.contentDisposition.parsed.value,
    contentId: node.contentId ?? "",
    size: octets.length,
    digest: createHash("sha256").update(counted).digest("hex"),
    octets: type.value.startsWith("application/") ? octets.toString("base64") : "",
    text: type.value.startsWith("text/") ? node.getTextContent() : "",
    leaves: MESSAGES.includes(type.value) ? await leavesOf(octets) : [],
  };
}

const read = [];
for (const raw of JSON.parse(readFileSync(0, "utf8")))
  read.push(await leavesOf(Buffer.from(raw, "base64")));
process.stdout.write(JSON.stringify(read));
