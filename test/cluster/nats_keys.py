"""Keys and JSON web tokens of NATS, made with OpenSSL's command line: what `nsc` and `nk` write."""

import base64
import json
import pathlib
import subprocess
import time

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc.to_bytes(2, "little")


def encoded(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


def url_encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """An Ed25519 key of one of the kinds above, as NATS writes them."""

    def __init__(self, folder, kind):
        self.file = pathlib.Path(folder) / f"key-{kind}-{time.monotonic_ns()}.der"
        openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", self.file)
        public = openssl("pkey", "-in", self.file, "-inform", "DER", "-pubout", "-outform", "DER")[-32:]
        self.public = encoded(bytes([kind]) + public)
        prefix = bytes([SEED | kind >> 5, (kind & 31) << 3])
        self.seed = encoded(prefix + self.file.read_bytes()[-32:])

    def sign(self, data):
        message = self.file.with_suffix(".message")
        message.write_bytes(data)
        return openssl("pkeyutl", "-sign", "-inkey", self.file, "-keyform", "DER", "-rawin", "-in", message)

    def token(self, subject, name, kind, **claims):
        """A JWT about the key `subject`, signed by this one."""
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        body = {"jti": name, "iat": int(time.time()), "iss": self.public, "sub": subject, "name": name}
        expires = claims.pop("expires", None)
        if expires is not None:
            body["exp"] = expires
        body["nats"] = {"type": kind, "version": 2, **claims}
        text = ".".join(url_encoded(json.dumps(part).encode()) for part in (header, body))
        return f"{text}.{url_encoded(self.sign(text.encode()))}"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


def credentials(token, seed):
    """The text of a `.creds` file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


class Operator:
    """An operator with one account that may use JetStream: the part of a server's configuration, and its users."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        unlimited = dict.fromkeys(("subs", "conn", "leaf", "imports", "exports", "data", "payload"), -1)
        unlimited["wildcards"] = True
        storage = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
        operator, self.account, system = Key(folder, OPERATOR), Key(folder, ACCOUNT), Key(folder, ACCOUNT)
        token = self.folder / f"{operator.public}.jwt"
        token.write_text(operator.token(operator.public, "operator", "operator"))
        accounts = {
            self.account.public: operator.token(
                self.account.public, "account", "account", limits={**unlimited, **storage}
            ),
            system.public: operator.token(system.public, "system", "account", limits=unlimited),
        }
        preloaded = ", ".join(f'{key}: "{text}"' for key, text in accounts.items())
        self.config = (
            f'operator: "{token}"\nsystem_account: {system.public}\nresolver: MEMORY\n'
            f"resolver_preload: {{ {preloaded} }}\n"
        )

    def user(self, name, **more):
        """The path of a new user's `.creds` file. `expires`: seconds since the Unix epoch."""
        key = Key(self.folder, USER)
        limits = {"subs": -1, "data": -1, "payload": -1}
        token = self.account.token(key.public, name, "user", pub={}, sub={}, **limits, **more)
        path = self.folder / f"{name}.creds"
        path.write_text(credentials(token, key.seed))
        return path


def certificates(folder, hosts):
    """An authority, and a certificate of servers at `hosts` that is signed by it: the paths of both and of the key."""
    folder = pathlib.Path(folder)
    ca, ca_key, cert, key = (folder / name for name in ("ca.pem", "ca.key", "server.pem", "server.key"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=test authority", "-days", 2)
    names = ",".join(f"IP:{host}" for host in hosts)
    use = ("-addext", f"subjectAltName={names}", "-addext", "extendedKeyUsage=serverAuth,clientAuth")
    openssl("req", *curve, "-keyout", key, "-out", folder / "server.csr", "-subj", "/CN=server", *use)
    openssl(
        "x509", "-req", "-in", folder / "server.csr", "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert,
        "-days", 2, "-copy_extensions", "copy",
    )  # fmt: skip
    return ca, cert, key
