# Azurite, Azure's own emulator of Blob Storage, in memory: one npm package with all it needs.

azure_install() {
  local dir=$home/azurite/$AZURITE_VERSION
  [ -e "$dir/.done" ] && return 0
  need node nodejs
  need npm npm
  say "fetching Azurite $AZURITE_VERSION"
  rm -rf "$home/azurite"
  mkdir -p "$dir"
  nice npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional --prefix "$dir" "azurite@$AZURITE_VERSION" >&2
  touch "$dir/.done"
}

# azure_container: the container, made by a request signed with the account's key.
azure_container() {
  node -e '
    const [port, account, key, name] = process.argv.slice(1);
    const date = new Date().toUTCString(), path = `/${account}/${name}`;
    const text = ["PUT", ...Array(11).fill(""), `x-ms-date:${date}\nx-ms-version:2021-08-06`, `/${account}${path}\nrestype:container`].join("\n");
    const sum = require("crypto").createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
    const headers = { "x-ms-date": date, "x-ms-version": "2021-08-06", Authorization: `SharedKey ${account}:${sum}`, "Content-Length": 0 };
    require("http").request({ host: "127.0.0.1", port, path: path + "?restype=container", method: "PUT", headers }, (res) => {
      process.exit(res.statusCode === 201 || res.statusCode === 409 ? 0 : 1);
    }).on("error", () => process.exit(1)).end();
  ' "$AZURE_PORT" "$AZURE_ACCOUNT" "$AZURE_KEY" "$AZURE_CONTAINER"
}

azure_start() {
  # The SDK's version of the protocol is newer than the emulator's now and then, which matters to none of our requests.
  launch azure node "$home/azurite/$AZURITE_VERSION/node_modules/azurite/dist/src/blob/main.js" \
    --blobHost 127.0.0.1 --blobPort "$AZURE_PORT" --inMemoryPersistence --skipApiVersionCheck --silent --disableTelemetry
  await azure 60 azure_container
}
