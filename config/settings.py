"""The one settings file; everything that differs between installations comes from the environment.

`.env.example` lists what can be set. Without any setting the product runs on one machine, on SQLite
and an embedded Valkey server, with its data and its generated keys under `var/`.
"""

from __future__ import annotations

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from config.local_secrets import generate_signing_key, read_or_create, socket_path

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
DEBUG = env.bool("DEBUG", default=False)

# Keys. Hosts that share a database must share both, so there they are set, not generated.
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_create(
    VAR_DIR / "secret_key", generate_signing_key
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or [
    read_or_create(VAR_DIR / "encryption_key")
]
"""Fernet keys: the first encrypts credentials, all of them decrypt."""

# Who is served, and over which scheme.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
"""Whether people reach this installation over https; then cookies and headers insist on it."""
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

INSTALLED_APPS = [
    "connections.apps.ConnectionsConfig",
    "referrals.apps.ReferralsConfig",
    "config.apps.ReferralsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "ninja",
    "django_rq",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "referrals.api.middleware.problem_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# The database is the truth.
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # A transaction takes the write lock when it begins, so that two never wait for each other.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA mmap_size=134217728;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis (or Valkey) wakes workers up.
VALKEY_SOCKET = socket_path(VAR_DIR / "valkey.sock")
REDIS_URL = env.str("REDIS_URL", default=f"unix://{VALKEY_SOCKET}")
RQ_QUEUES = {"deliveries": {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer"}}
RQ = {"COMMIT_MODE": "auto"}
RQ_SHOW_ADMIN_LINK = False

# Delivering. Times are in seconds; `referrals.checks` makes sure that they fit together.
DELIVERY_THREADS = env.int("DELIVERY_THREADS", default=32)
DELIVERY_SLICE_SECONDS = env.float("DELIVERY_SLICE_SECONDS", default=5)
DELIVERY_JOB_TIMEOUT = env.int("DELIVERY_JOB_TIMEOUT", default=60)
DELIVERY_LEASE_SECONDS = env.float("DELIVERY_LEASE_SECONDS", default=90)
DELIVERY_CONNECT_TIMEOUT = env.float("DELIVERY_CONNECT_TIMEOUT", default=5)
DELIVERY_READ_TIMEOUT = env.float("DELIVERY_READ_TIMEOUT", default=15)
DELIVERY_TOTAL_TIMEOUT = env.float("DELIVERY_TOTAL_TIMEOUT", default=30)
DELIVERY_PERMITTED_NETWORKS = env.list("DELIVERY_PERMITTED_NETWORKS", default=[])
"""Networks beside the global internet that deliveries may reach, such as 10.20.0.0/16."""
DELIVERY_ALLOW_HTTP = env.bool("DELIVERY_ALLOW_HTTP", default=False)
MAX_QUEUED_JOBS = env.int("MAX_QUEUED_JOBS", default=4)
"""Jobs that may wait in the queue; more would find nothing left to do."""
TICK_SECONDS = env.float("TICK_SECONDS", default=2)

# Mail: to technical contacts and account members when a connection opens, is held or recovers.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", default="referrals@localhost")
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000")
"""Where people reach this installation, for the links in mails."""

# The intake API.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("INTAKE_MAX_BODY_BYTES", default=5 * 1024 * 1024)

# Texts, times and files.
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
LOGIN_URL = "admin:login"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # RQ logs a line for every job; what matters is a warning.
    "loggers": {"rq.worker": {"level": "WARNING"}},
}
