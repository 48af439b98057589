"""Curl commands of API documentation, strategies for others, and their specs and requests."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from connections.core.messages import Request
from connections.core.request.builder import build_request
from connections.core.samples import sample_attributes
from connections.core.spec import ConnectionSpec
from connections.importers.curl import parse_curl

MAILCHIMP = """
curl -X POST \\
  'https://us9.api.mailchimp.com/3.0/lists/abcdefghij/members?skip_merge_validation=false' \\
  --user "anystring:0123456789abcdef-us9" \\
  -d '{"email_address":"urist@freddiesjokes.com","status":"subscribed",
       "merge_fields":{"FNAME":"Urist","LNAME":"McVankab"}}'
"""


KLAVIYO = """
curl --request POST \\
     --url https://a.klaviyo.com/api/profiles \\
     --header 'Authorization: Klaviyo-API-Key pk_0123456789' \\
     --header 'accept: application/vnd.api+json' \\
     --header 'content-type: application/vnd.api+json' \\
     --header 'revision: 2026-01-15' \\
     --data '
{
  "data": {
    "type": "profile",
    "attributes": {
      "email": "sarah.mason@klaviyo-demo.com",
      "phone_number": "+15005550006",
      "first_name": "Sarah",
      "location": {"zip": "94016", "region": "NY", "latitude": 42.0, "ip": "127.0.0.1"}
    }
  }
}
'
"""


HUBSPOT = """curl https://api.hubapi.com/crm/v3/objects/contacts \\
  --header 'authorization: Bearer pat-na1-1111' \\
  --header 'content-type: application/json' \\
  --data '{"properties": {"email": "example@hubspot.com", "firstname": "Jane", "lastname": "Doe",
    "phone": "(555) 555-5555", "company": "HubSpot"}}'"""


HUBSPOT_OLD = """curl -X POST 'https://api.hubapi.com/contacts/v1/contact?hapikey=0a1b2c3d' \\
  -H 'Content-Type: application/json' \\
  -d '{"properties": [{"property": "email", "value": "jo@example.com"},
                      {"property": "firstname", "value": "Jo"}]}'"""


ACTIVECAMPAIGN = """curl --request POST --url https://acme.api-us1.com/api/3/contacts \\
  --header 'Api-Token: 0123456789' --header 'accept: application/json' \\
  --header 'content-type: application/json' \\
  --data '{"contact":{"email":"johndoe@example.com","firstName":"John","lastName":"Doe",
  "phone":"7223224241","fieldValues":[{"field":"1","value":"The Value for First Field"}]}}'"""


SENDY = """curl -d "api_key=abc123def&name=Ben Ho&email=ben@example.com&list=kJ8d&boolean=true" \
https://sendy.example.com/subscribe"""


BRAZE = """curl --location --request POST 'https://rest.iad-01.braze.com/users/track' \\
--header 'Content-Type: application/json' --header 'Authorization: Bearer YOUR_REST_API_KEY' \\
--data-raw '{"attributes": [{"external_id": "user1", "email": "jo@example.com", "dob": "1988-02-14",
 "country": "US", "gender": "M"}]}'"""


MARKETO = """curl -X POST -H "Authorization: Bearer cdf01657-110d:int" \\
-H "Content-Type: application/json" \\
-d '{"action":"createOnly","lookupField":"email","input":[{"email":"kjashaedd-1@klooblept.com",
"firstName":"Kataldar-1","postalCode":"04828"}]}' \\
https://123-ABC-456.mktorest.com/rest/v1/leads.json"""


WEB_TO_LEAD = """curl 'https://webto.salesforce.com/servlet/servlet.WebToLead?encoding=UTF-8' \\
  -H 'Content-Type: application/x-www-form-urlencoded' \\
  --data-urlencode 'oid=00D000000000062' --data-urlencode 'first_name=Jo' \\
  --data-urlencode 'last_name=O+Hara' --data-urlencode 'email=jo@example.com' \\
  --data-urlencode 'phone=+1 732 757 2923'"""


SOAP = """curl -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: "urn:add"' \\
 -u joe:s3cr3t \\
 -d '<?xml version="1.0"?><e:Envelope xmlns:e="urn:e"><e:Body><RECIPIENT id="5">
 <EMAIL>jo@example.com</EMAIL><ZIP>01234</ZIP></RECIPIENT></e:Body></e:Envelope>' \\
 https://api.example.com/XMLAPI"""


CHROME_FOR_CMD = (
    'curl ^"https://example.com/api/leads?a=1^&b=2^" ^\r\n'
    '  -H ^"content-type: application/json^" ^\r\n'
    '  -H ^"x-api-key: 9f8e7d6c^" ^\r\n'
    '  --data-raw ^"^{^\\^"email^\\^":^\\^"jo@example.com^\\^",^\\^"age^\\^":25^}^"'
)


COMMANDS = {
    "mailchimp": MAILCHIMP, "klaviyo": KLAVIYO, "hubspot": HUBSPOT, "hubspot_old": HUBSPOT_OLD,
    "activecampaign": ACTIVECAMPAIGN, "sendy": SENDY, "braze": BRAZE, "marketo": MARKETO,
    "web_to_lead": WEB_TO_LEAD, "soap": SOAP, "chrome_for_cmd": CHROME_FOR_CMD,
    "json_option": 'curl --json \'{"email": "jo@example.com"}\' https://example.com/leads',
    "get": "curl -G https://example.com/track -d email=jo@example.com -d fname=Jo -s",
    "get_in_url": "curl 'https://example.com/track?email=jo%40example.com&zip=01234'",
    "ansi": "curl https://example.com/ -d $'{\"note\": \"it\\'s\\u00e9\", \"email\": \"a@b.co\"}'",
    "form": "curl https://example.com/leads -F email=jo@example.com -F 'phone=+1 732 757 2923'",
    "put": "curl -sSLX PUT https://example.com/people/jo@example.com -d '{\"first_name\": \"Jo\"}'",
    "text": "curl https://example.com -H 'Content-Type: text/plain' -d 'Lead: jo@example.com, Jo'",
    "prompt": "$ curl -XPOST https://example.com -d'email=jo@example.com'",
    "powershell": "curl -X POST `\n  https://example.com `\n  -d 'email=jo@example.com'",
    "assignment": "KEY=1 /usr/bin/curl --url=https://example.com --data=email=jo@example.com",
    "user_in_url": "curl https://joe:s3cr3t@example.com/leads -d email=jo@example.com",
    "oauth_bearer": "curl --oauth2-bearer abc123 https://example.com -d email=jo@example.com",
    "digits": "curl https://example.com -d '{\"id\": 2581697744617019994, \"price\": 2.50}'",
}  # fmt: skip

NAMES = st.text("abcdefgh_-", min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: "{{" not in text and "{%" not in text
)


def build_spec(command: str) -> ConnectionSpec:
    parsed = parse_curl(command)
    return parsed.spec(parsed.preselected(), name="any")


def build_command_request(command: str) -> Request:
    spec = build_spec(command)
    return build_request(spec, sample_attributes(spec))


def get_body(request: Request) -> Any:
    return json.loads(request.body)
