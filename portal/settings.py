"""The one settings file. It reads POSTERN_* variables through portal.configuration.environment."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.caches.counting import MAX_ENTRIES
from engine.caches.redis_settings import redis_settings
from portal.configuration import (
    allauth_settings,
    content_security_policy,
    database_url,
    loading,
    logging_setup,
    production_checks,
    rest_framework_settings,
)

BASE_DIR = Path(__file__).resolve().parent.parent
POSTERN = loading.load()
# `postern check` reports these faults itself, beside all others.
if sys.argv[1:2] != ["check_service"]:
    production_checks.check(POSTERN)
PRODUCTION = POSTERN.env == "production"

SECRET_KEY = POSTERN.secret_key
SECRET_KEY_FALLBACKS = POSTERN.secret_key_fallbacks
DEBUG = POSTERN.debug
ALLOWED_HOSTS = POSTERN.allowed_hosts
ROOT_URLCONF = "portal.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "registry.Person"

INSTALLED_APPS = [
    "engine",
    "engine.audit",
    "engine.blobs",
    "engine.signing",
    "engine.jobs",
    "engine.registry",
    "engine.encryption",
    "engine.storage",
    "engine.antivirus",
    "engine.trace",
    "engine.tls_reports",
    "engine.queue",
    "engine.certificates",
    "engine.incidents",
    "engine.linked_files",
    "engine.health",
    "engine.backups",
    "onboarding",
    "onboarding.connecting",
    "portal.ui",
    "portal.serving",
    "portal.home",
    "portal.sessions",
    "portal.account",
    "portal.account_admin",
    "portal.certificates",
    "portal.emergency_access",
    "portal.directory",
    "portal.webmail",
    "portal.organisation",
    "portal.helpdesk",
    "portal.guides",
    "portal.console",
    "portal.console.vetting",
    "portal.demo",
    "portal.launcher",
    "portal.preflight",
    "api",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_q",
    "django_htmx",
    "csp",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "portal.middleware.probe_hosts.AnyHostMiddleware",
    "portal.middleware.client_address.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.compression.PageCompressionMiddleware",
    "portal.middleware.cache_control.CacheControlMiddleware",
    "portal.middleware.content_policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.sessions.middleware.PersonMiddleware",
    "portal.middleware.body_limit.BodyLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.account.middleware.StaffAddressesMiddleware",
    "portal.sessions.middleware.SessionMiddleware",
    "portal.account.middleware.SecondFactorMiddleware",
    "portal.account.middleware.ShutMailMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.ui.context_processors.community",
            ],
            "builtins": ["portal.ui.templatetags.links"],
        },
    }
]


DATABASES = {
    "default": database_url.settings_of(POSTERN.database_url, var=POSTERN.path())
}
CACHES = {
    "default": (
        redis_settings(POSTERN.redis_url)
        if POSTERN.redis_url
        else {
            "BACKEND": "engine.caches.file_cache.FileCache",
            "LOCATION": POSTERN.path("cache"),
            "OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES},
        }
    )
}

# Signing in
AUTHENTICATION_BACKENDS = [
    "portal.account.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
HASHER = "MD5" if POSTERN.env == "test" else "Argon2"
PASSWORD_HASHERS = [f"django.contrib.auth.hashers.{HASHER}PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "portal.account.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "address"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "everyday_address"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_RATE_LIMITS = allauth_settings.RATE_LIMITS
ACCOUNT_FORMS = allauth_settings.FORMS
MFA_ADAPTER = "portal.account.adapter.MFAAdapter"
MFA_FORMS = allauth_settings.SECOND_FACTOR_FORMS
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = POSTERN.community_name
# One step of 30 seconds either way, for clocks that are not quite right.
MFA_TOTP_TOLERANCE = 1
# Seconds for which a link to choose another password works; it works once.
PASSWORD_RESET_TIMEOUT = 60 * 60
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "portal.account.adapter.ResetTokens"  # noqa: S105

# Cookies and transport
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_ENGINE = "portal.sessions.store"
SESSION_COOKIE_AGE = POSTERN.session_hours * 60 * 60
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_TRUSTED_ORIGINS = [POSTERN.site_url]
SECURE_SSL_REDIRECT = PRODUCTION
# Load balancers and Prometheus ask each host itself, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/(live|ready)$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
# The admin gets its own, by portal.middleware.content_policy.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_security_policy.PORTAL}

# Mail: everything leaves through the queue
EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"
DEFAULT_FROM_EMAIL = f"{POSTERN.community_name} <notices@{POSTERN.community_domain}>"
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Jobs around mail
Q_CLUSTER = {
    "name": "postern",
    "orm": "default",
    "broker_class": "engine.jobs.broker.Broker",
    # Of `qcluster`, which we do not run: `run_worker` has its own (engine/jobs).
    "timeout": 300,
    "retry": 360,
    "label": "Jobs",
}

REST_FRAMEWORK = rest_framework_settings.FRAMEWORK
SPECTACULAR_SETTINGS = rest_framework_settings.DOCUMENT | {
    "TITLE": POSTERN.community_name,
    "SERVERS": [{"url": POSTERN.site_url}],
    "CONTACT": {"name": "Helpdesk", "url": f"{POSTERN.site_url}/help/"},
    "LICENSE": {"name": "Terms of use", "url": f"{POSTERN.site_url}/terms/"},
}

# Wagtail
WAGTAIL_SITE_NAME = POSTERN.community_name
WAGTAILADMIN_BASE_URL = POSTERN.site_url
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
# Guides embed nothing of other sites.
WAGTAILEMBEDS_FINDERS: list[dict[str, str]] = []
WAGTAILIMAGES_IMAGE_FORM_BASE = "portal.guides.image_upload.ScannedImageForm"
# Without stemming on PostgreSQL, as on SQLite: both find the same guides.
WAGTAILSEARCH_BACKENDS = {
    "default": {
        "BACKEND": "wagtail.search.backends.database",
        "SEARCH_CONFIG": "simple",
    }
}
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp"]
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False

# Words, times, files
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
STATIC_ROOT = POSTERN.path("static")
# Debian's table of types may lack captions, which a browser must not guess.
WHITENOISE_MIMETYPES = {".vtt": "text/vtt"}
STATICFILES_DIRS = [
    BASE_DIR / "portal" / "static",
    # What `manage.py collect_assets` takes out of node_modules.
    POSTERN.path("assets"),
]
# Compressing takes long at the first start, and is worth it where the way is long.
STATIC_STORAGE = {
    "test": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "development": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
}.get(POSTERN.env, "whitenoise.storage.CompressedManifestStaticFilesStorage")
STORAGES = {
    "default": {"BACKEND": "portal.guides.picture_storage.PictureStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# Pictures of guides; nothing else that is kept there is served.
MEDIA_URL = "/guides/pictures/"
# Fields of forms; files are counted by portal.middleware.body_limit, which looks first.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FORM_RENDERER = "portal.ui.govuk_fields.PageRenderer"
LOGGING = logging_setup.configure(is_production=PRODUCTION)
