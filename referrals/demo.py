"""Create the demo: an account with campaigns, connections to the CRM simulator, links and a login.

Creating it again leaves everything that a user may have changed since.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db import transaction

from connections.core.attributes import CampaignKind
from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection
from connections.models import Account, Campaign, Connection, Endpoint, Link
from connections.operations.changes import touch
from connections.operations.history import Actor, record_change
from connections.operations.links import link_campaign
from connections.operations.save import save_connection
from referrals.models import IntakeKey
from referrals.models.intake_keys import digest, make_token

LOGIN = "demo"
_CRM_KEY = "demo-key"
_SLUG = "demo"
_LOOPBACK = "http://127.0.0.1:"
_DEFAULT_CRM_URL = f"{_LOOPBACK}9000"

_JSON = """
name = "Demo CRM (JSON)"
documentation = "https://mailchimp.com/developer/marketing/api/list-members/add-member-to-list/"
required = ["email"]
reason = "detail"
reference = "id"

[endpoints]
production = "{crm}/3.0/lists/production/members"
testing = "{crm}/3.0/lists/testing/members"

[authorization]
kind = "basic"
username = "referrals"
password = "env:CRM_KEY"

[body]
encoding = "json"
document = '''
{{"email_address": "{{{{ email }}}}", "status": "subscribed",
 "merge_fields": {{"FNAME": "{{{{ first_name }}}}", "LNAME": "{{{{ last_name }}}}"}}}}
'''

[[rules]]
status = "400"
where = "json"
path = "title"
operator = "equals"
value = "Member Exists"
outcome = "duplicate"

[[rules]]
status = "200"
where = "json"
path = "id"
operator = "exists"
outcome = "delivered"

[[expected_responses]]
name = "Created"
status = 200
body = '{{"id": "852aaa9532cb36adfb5e9fef7a4206a9", "status": "subscribed"}}'
outcome = "delivered"

[[expected_responses]]
name = "Already a member"
status = 400
body = '{{"title": "Member Exists", "status": 400, "detail": "Already a list member."}}'
outcome = "duplicate"

[[expected_responses]]
name = "Invalid"
status = 400
body = '{{"title": "Invalid Resource", "status": 400, "detail": "Not a valid address."}}'
outcome = "rejected"
"""

_FORM = """
name = "Demo CRM (URL encoded)"
documentation = "https://sendy.co/api"
required = ["email"]

[endpoints]
production = "{crm}/subscribe"
testing = "{crm}/subscribe"

[credentials]
api_key = "env:CRM_KEY"

[body]
encoding = "urlencoded"
document = '''
api_key={{{{ credentials.api_key }}}}
email={{{{ email }}}}
name={{{{ first_name }}}}
list=newsletter
boolean=true
'''

[[rules]]
where = "text"
operator = "equals"
value = "true"
outcome = "delivered"

[[rules]]
where = "text"
operator = "equals"
value = "Already subscribed."
outcome = "duplicate"

[[rules]]
where = "text"
operator = "contains"
value = "Invalid API key"
outcome = "unauthorized"

[[rules]]
where = "text"
operator = "one_of"
value = ["Invalid email address.", "Some fields are missing."]
outcome = "rejected"

[[expected_responses]]
name = "Subscribed"
status = 200
body = "true"
outcome = "delivered"

[[expected_responses]]
name = "Twice"
status = 200
body = "Already subscribed."
outcome = "duplicate"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What a user needs to try the product.

    `campaign_key` is the campaign of the JSON connection. `password` is None if it is not known:
    the login has another one than was given.
    """

    account: str
    campaign_key: str
    form_campaign_key: str
    intake_key: str
    login: str
    password: str | None
    crm: str

    def to_json(self) -> dict[str, str | None]:
        """Return the demo as a JSON object."""
        return asdict(self)


@transaction.atomic
def create_demo(*, crm_url: str, by: Actor, intake_key: str = "", password: str = "") -> Demo:
    """Create what is missing of the demo.

    `intake_key` is the token of its key, `password` the one of a new login; each is generated if it
    is empty.
    """
    account, _ = Account.objects.get_or_create(slug=_SLUG, defaults={"name": "Demo advertiser"})
    login, known_password = _get_or_create_login(password)
    account.members.add(login)
    json_campaign = _get_or_create_campaign(
        account, "Newsletter sign-up", CampaignKind.EMAIL_SUBSCRIPTION
    )
    form_campaign = _get_or_create_campaign(
        account, "Test drive leads", CampaignKind.LEAD_GENERATION
    )
    _get_or_create_campaign(account, "Spring traffic", CampaignKind.WEBSITE_TRAFFIC)
    _create_link(json_campaign, _get_or_create_connection(account, _JSON, crm_url, by), by)
    _create_link(form_campaign, _get_or_create_connection(account, _FORM, crm_url, by), by)
    return Demo(
        account=account.slug,
        campaign_key=json_campaign.key,
        form_campaign_key=form_campaign.key,
        intake_key=_get_or_create_key(account, intake_key),
        login=LOGIN,
        password=known_password,
        crm=crm_url,
    )


def find_crm_url() -> str:
    """Return the URL of the simulator that the demo's connections have, or its default."""
    urls = Endpoint.objects.filter(connection__account__slug=_SLUG, url__startswith=_LOOPBACK)
    parts = urlsplit(urls.order_by("pk").values_list("url", flat=True).first() or _DEFAULT_CRM_URL)
    return f"{parts.scheme}://{parts.netloc}"


def generate_password() -> str:
    """Return a new random password."""
    return secrets.token_urlsafe(12)


def _get_or_create_login(password: str) -> tuple[User, str | None]:
    """Return the login and its password, None if it is not known.

    An existing login keeps its password.
    """
    existing = User.objects.filter(username=LOGIN).first()
    if existing is not None:
        return existing, password if check_password(password, existing.password) else None
    password = password or generate_password()
    return User.objects.create_superuser(LOGIN, "demo@example.com", password), password


def _get_or_create_campaign(account: Account, name: str, kind: CampaignKind) -> Campaign:
    campaign, _ = Campaign.objects.get_or_create(
        account=account, name=name, defaults={"kind": kind.value}
    )
    return campaign


def _get_or_create_connection(
    account: Account, template: str, crm_url: str, by: Actor
) -> Connection:
    spec = load_connection(template.format(crm=crm_url), lambda name: _CRM_KEY)
    existing = Connection.objects.filter(account=account, name=spec.name).first()
    if existing is None:
        return save_connection(spec, account=account, by=by, source="the demo")
    _update_endpoints(existing, spec, by)
    return existing


def _update_endpoints(connection: Connection, spec: ConnectionSpec, by: Actor) -> None:
    """Move unchanged endpoints to the port of the simulator; earlier tests no longer count then."""
    moved = []
    for endpoint in connection.endpoints.all():
        wanted = urlsplit(spec.endpoints.get(endpoint.environment, ""))
        current = urlsplit(endpoint.url)
        is_same = (current.hostname, current.path) == (wanted.hostname, wanted.path)
        if is_same and endpoint.url != wanted.geturl():
            endpoint.url = wanted.geturl()
            moved.append(endpoint)
    if moved:
        Endpoint.objects.bulk_update(moved, ["url"])
        touch(connection)
        record_change(connection, by=by, message="Endpoints moved to the demo's CRM simulator.")


def _create_link(campaign: Campaign, connection: Connection, by: Actor) -> None:
    if not Link.objects.filter(campaign=campaign, connection=connection).exists():
        link_campaign(campaign, connection=connection, by=by)


def _get_or_create_key(account: Account, token: str) -> str:
    """Return the token of the demo's intake key.

    The caller keeps it and passes it again: the database has its digest alone.
    """
    token = token or make_token()
    IntakeKey.objects.get_or_create(
        digest=digest(token), defaults={"account": account, "name": "Demo", "start": token[:8]}
    )
    return token
