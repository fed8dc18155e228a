"""Classes of secrets: known shapes are found, names and references are let go, texts are scrubbed."""

from __future__ import annotations

import base64

import pytest

from wa_audit.aws.secrets import CLASSES, classified, classify, exposed, scrub, sensitive_key

# Put together here so that no scanner of this repository takes them for live ones.
ACCESS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
SLACK = "xoxb-" + "123456789012-abcdefABCDEF"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
PEM = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE " + "KEY-----"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkq\n-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    ("key", "value", "class_"),
    [
        ("LEVEL", "", "empty"),
        ("LEVEL", "  ", "empty"),
        ("LEVEL", None, "empty"),
        ("LEVEL", "INFO", "literal"),
        ("PORT", 5432, "literal"),
        ("FLAG", True, "literal"),
        ("CONFIG", {"level": "INFO"}, "literal"),
        ("CONFIG", {"password": ACCESS_KEY}, "secret:aws-access-key"),
        ("DB_PASSWORD", "hunter2", "literal"),
        ("ROLE", "arn:aws:iam::123456789012:role/etl", "arn"),
        ("SECRET", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:db-Ab1", "arn"),
        ("DB_PASSWORD", "{{resolve:secretsmanager:db:SecretString:password}}", "reference"),
        ("DB_PASSWORD", "/prod/orders/db/password", "reference"),
        ("DB_PASSWORD_PATH", "prod/orders", "reference"),
        ("DB_SECRET_NAME", "orders-db", "reference"),
        ("TOKEN_URL", "https://login.example.com/oauth2/token", "reference"),
        ("API_TOKEN", "ssm:/orders/token", "reference"),
        ("API_TOKEN", "${token}", "reference"),
        ("TABLE_NAME", "orders", "literal"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY, "secret:aws-access-key"),
        ("NOTE", f"uses {ACCESS_KEY} for now", "secret:aws-access-key"),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY, "secret:aws-access-key"),
        ("S3_SECRET", SECRET_KEY, "secret:high-entropy"),
        ("KEY", PEM, "secret:private-key"),
        ("KEY", base64.b64encode(PEM.encode()).decode(), "secret:private-key"),
        ("CA", CERTIFICATE, "literal"),
        ("DB", "postgres://etl:hunter2@db.example.com:5432/orders", "secret:password-in-url"),
        ("DB", "postgres://etl:p@ss/w0rd@db.example.com/orders", "secret:password-in-url"),
        ("DB", "jdbc:postgresql://db:5432/orders?user=etl&password=hunter2", "secret:password-in-url"),
        ("DB", "jdbc:sqlserver://db:1433;user=etl;password=hunter2", "secret:password-in-url"),
        ("DB", "jdbc:oracle:thin:etl/hunter2@//db:1521/orders", "secret:password-in-url"),
        ("DB", "jdbc:mysql://db:3306/orders?user=etl&password=${password}", "reference"),
        ("DB", "postgres://etl:{{resolve:ssm:db}}@db.example.com/orders", "reference"),
        ("DB", "jdbc:mysql://db:3306/orders", "literal"),
        ("MAIL", "https://api.example.com:8443/users?mail=someone@example.com", "literal"),
        ("T", GITHUB, "secret:token"),
        ("T", SLACK, "secret:token"),
        ("T", STRIPE, "secret:token"),
        ("T", JWT, "secret:token"),
        ("T", GOOGLE, "secret:token"),
        ("T", "Bearer abcdefghijklmnop.qrs", "secret:token"),
        (
            "HOOK",
            "https://hooks.slack.com/services/" + "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
            "secret:token",
        ),
        ("LINK", "https://example.com/?api_key=abc123", "secret:token"),
        ("SALT", "kJ8#mP2$vL9!qR5%xT7&", "secret:high-entropy"),
        ("SALT", "q8Zt3LwXf0Vn5KpR2bHs7Yd", "secret:high-entropy"),
    ],
)
def test_classify(key: str, value: object, class_: str) -> None:
    assert classify(key, value) == class_


@pytest.mark.parametrize(
    "value",
    [
        "orders-enrichment-production-v2-eu-west-1",
        "DataPipelineStack-OrdersFunction3A4B5C6D-1X2Y3Z4A5B6C",
        "datastack-ordersbucket9f8e7d6c-1kq0zj3mxy7wv",
        "orders.c9akciq32rgw.eu-west-1.rds.amazonaws.com:5432",
        "b-1.orders.a1b2c3.c7.kafka.eu-west-1.amazonaws.com:9094,b-2.orders.a1b2c3.c7.kafka.eu-west-1.amazonaws.com:9094",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/DataStack-Queue4A7E3555-a1B2c3D4",
        "s3://orders-lake-123456789012/curated/Year=2026/part-0001.parquet",
        "org.apache.spark.serializer.KryoSerializer2",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "subnet-0bb1c79de3fd1e9a2,subnet-0a1b2c3d4e5f67890",
        "eu-west-1_aBcDeFg12",
        '{"bucket":"Orders2026","prefix":"a/b","Retries":3}',
        "2026-10-01T00:00:00.000+02:00",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:v1.22.3",
    ],
)
def test_names_and_ids_are_no_secrets(value: str) -> None:
    assert classify("THING", value) == "literal"


@pytest.mark.parametrize(
    ("key", "sensitive"),
    [
        ("DB_PASSWORD", True),
        ("dbPassword", True),
        ("--db-password", True),
        ("DBPASSWD", True),
        ("client.secret", True),
        ("apiKey", True),
        ("API_KEY", True),
        ("APIKEY", True),
        ("PRIVATE_KEY", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("GITHUB_TOKEN", True),
        ("DB_PASSWORD_ARN", False),
        ("SecretArn", False),
        ("SECRET_NAME", False),
        ("SECRET_ID", False),
        ("TOKEN_PATH", False),
        ("TOKEN_URL", False),
        ("TOKEN_TTL_SECONDS", False),
        ("MAX_TOKENS", False),
        ("USE_TOKEN", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("SECRETS_MANAGER_ENDPOINT", False),
        ("PUBLIC_KEY", False),
        ("TABLE", False),
        ("", False),
        ("--", False),
    ],
)
def test_sensitive_key(key: str, sensitive: bool) -> None:
    assert sensitive_key(key) is sensitive


@pytest.mark.parametrize("secret", [ACCESS_KEY, GITHUB, SLACK, STRIPE, JWT, GOOGLE, PEM])
def test_scrub_takes_known_shapes_out_of_a_text(secret: str) -> None:
    assert scrub(f"call failed with ({secret}), try again") == "call failed with ([redacted]), try again"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("postgres://etl:hunter2@db/orders", "postgres://etl:[redacted]@db/orders"),
        ("postgres://etl:p@ss/w@db/orders", "postgres://etl:[redacted]@db/orders"),
        (
            "jdbc:mysql://db:3306/o?user=etl&password=hunter2&useSSL=true",
            "jdbc:mysql://db:3306/o?user=etl&password=[redacted]&useSSL=true",
        ),
        ("jdbc:sqlserver://db;password=hunter2;x=1", "jdbc:sqlserver://db;password=[redacted];x=1"),
        ("jdbc:oracle:thin:etl/hunter2@//db/o", "jdbc:oracle:thin:etl/[redacted]@//db/o"),
        ("--conf spark.db.PASSWORD='a b' --conf x=y", "--conf spark.db.PASSWORD=[redacted] --conf x=y"),
        ("https://b.s3/k?X-Amz-Signature=abc&x=1", "https://b.s3/k?X-Amz-Signature=[redacted]&x=1"),
        ('{"dbPassword": "hunter2", "port": 1}', '{"dbPassword": [redacted], "port": 1}'),
        ("Authorization: Bearer abcdefghijklmnop123", "Authorization: Bearer [redacted]"),
        (PEM[:50], "[redacted]"),
        ("https://example.com:8443/a@b", "https://example.com:8443/a@b"),
        (
            "User: arn:aws:iam::1:user/x is not authorized to perform: secretsmanager:GetSecretValue",
            "User: arn:aws:iam::1:user/x is not authorized to perform: secretsmanager:GetSecretValue",
        ),
        ("", ""),
    ],
)
def test_scrub(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


def test_scrub_is_idempotent() -> None:
    once = scrub(f"postgres://a:b@c {ACCESS_KEY} password=x token=y")
    assert scrub(once) == once


def test_scrub_takes_no_time_on_hostile_text() -> None:
    for text in ("://" * 20_000, "a_" * 50_000, "://a:" * 20_000, "-----BEGIN " * 5_000, "eyJa" * 20_000):
        scrub(text)
        classify("KEY", text)


def test_exposed_names_keys_and_classes() -> None:
    classes = {"DB_PASSWORD": "literal", "LEVEL": "literal", "X": "secret:token", "API_KEY": "reference"}
    assert exposed(classes) == {"DB_PASSWORD": "literal", "X": "secret:token"}


def test_classified_leaves_settings_out() -> None:
    assert classified({"--TempDir": "s3://tmp", "--x": "literal"}) == {"--x": "literal"}
    assert classified(None) == {}


@pytest.mark.parametrize("value", ["", "a", 1, None, PEM, ACCESS_KEY, GITHUB, {"a": 1}])
def test_every_class_is_declared(value: object) -> None:
    assert classify("KEY", value) in CLASSES
