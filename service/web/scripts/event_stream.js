// Server-sent events out of a response body, however the network cuts them.

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{name: string, data: any}>} the events, their data read as JSON
 */
export async function* eventsOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = { name: "message", data: [] };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data.length) yield { name: event.name, data: JSON.parse(event.data.join("\n")) };
          event = { name: "message", data: [] };
        } else read(line, event);
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function read(line, event) {
  const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
  if (field === "event") event.name = value;
  if (field === "data") event.data.push(value);
}
