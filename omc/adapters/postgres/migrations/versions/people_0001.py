"""People: accounts, the keys that they entrusted to us, and the tokens that let them back in."""

from alembic import op

revision = "0001_people"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        email varchar(255) NOT NULL,
        hashed_password varchar(255) NOT NULL,
        full_name varchar(255),
        is_active boolean NOT NULL DEFAULT true,
        is_superuser boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX users_email_key ON users (lower(email))",
    """
    CREATE TABLE coinspot_credentials (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
        api_key_encrypted bytea NOT NULL,
        api_secret_encrypted bytea NOT NULL,
        is_validated boolean NOT NULL DEFAULT false,
        last_validated_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE exchange_credentials (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        exchange varchar(50) NOT NULL,
        api_key_encrypted bytea NOT NULL,
        api_secret_encrypted bytea NOT NULL,
        passphrase_encrypted bytea,
        is_validated boolean NOT NULL DEFAULT false,
        last_validated_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, exchange)
    )
    """,
    """
    CREATE TABLE llm_credentials (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        provider varchar(50) NOT NULL,
        api_key_encrypted bytea NOT NULL,
        is_validated boolean NOT NULL DEFAULT false,
        last_validated_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, provider)
    )
    """,
    """
    CREATE TABLE refresh_families (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX refresh_families_user_id ON refresh_families (user_id)",
    """
    CREATE TABLE refresh_tokens (
        digest varchar(128) PRIMARY KEY,
        family_id uuid NOT NULL REFERENCES refresh_families ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        issued_at timestamptz NOT NULL DEFAULT now(),
        spent_at timestamptz
    )
    """,
    "CREATE INDEX refresh_tokens_family_id ON refresh_tokens (family_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
