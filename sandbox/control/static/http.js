// Makes the control calls; what the sandbox refuses becomes an Error in words.

export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const text = await response.text();
  if (!response.ok) throw new Error(explain(response.status, text));
  return text ? JSON.parse(text) : null;
}

function explain(status, text) {
  try {
    const { detail } = JSON.parse(text);
    if (!Array.isArray(detail)) return String(detail);
    return detail.map(({ field, reason }) => `${field}: ${reason}`).join("; ");
  } catch {
    return `the sandbox answered ${status}`;
  }
}

export async function readFiles(input) {
  return Promise.all([...input.files].map(async (file) => ({
    name: file.name,
    mime: file.type || "application/octet-stream",
    base64: await readBase64(file),
  })));
}

function readBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
