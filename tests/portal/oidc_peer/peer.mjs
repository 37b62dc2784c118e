// A strict OpenID provider for the tests: PKCE required, client secret checked, e-mail at userinfo only.
// node peer.mjs PORT REDIRECT_URI ; PUT /_users/SUBJECT sets a person's claims.
import http from "node:http";
import Provider from "oidc-provider";

const [port, back] = process.argv.slice(2);
const people = new Map();
const provider = new Provider(`http://localhost:${port}`, {
  clients: [{
    client_id: "tokenboard",
    client_secret: "a-client-secret-of-some-length-x",
    redirect_uris: [back],
    post_logout_redirect_uris: [new URL("/login", back).href],
    token_endpoint_auth_method: "client_secret_basic",
  }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  cookies: { keys: ["a key for the tests"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
});
const answer = provider.callback();

http.createServer((request, response) => {
  const user = request.method === "PUT" && request.url.match(/^\/_users\/(.+)$/);
  if (!user) return answer(request, response);
  let body = "";
  request.on("data", (piece) => { body += piece; });
  request.on("end", () => { people.set(decodeURIComponent(user[1]), JSON.parse(body)); response.writeHead(204).end(); });
}).listen(Number(port), "localhost");
