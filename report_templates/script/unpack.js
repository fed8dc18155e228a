/* What a page brings with it, packed as `embedded.pack` packs it. */

/** The packed data, read; throws where it is damaged. */
function unpacked() {
  const text = atob(document.getElementById("audit-data").textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n);
  return JSON.parse(new TextDecoder().decode(inflate(bytes)));
}
