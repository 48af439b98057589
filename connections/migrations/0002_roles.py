"""Two groups of people: editors make deliveries work, reporters look on.

Neither sees customers' personal data: "Can see customers' personal data" is given on its own.
"""

from django.db import migrations

READ = ("view",)
WRITE = ("view", "add", "change", "delete")

EDITOR = {
    "connections": {
        "account": READ,
        "customattribute": READ,
        "campaign": ("view", "add", "change"),
        "connection": WRITE,
        "endpoint": WRITE,
        "technicalcontact": WRITE,
        "responserule": WRITE,
        "expectedresponse": WRITE,
        "connectiontest": ("view", "add"),
        "link": ("view", "add", "change"),
    },
    "referrals": {
        "referral": READ,
        "delivery": ("view", "change"),
        "deliveryattempt": READ,
        "breakerstate": READ,
        "intakekey": READ,
    },
}
"""To change a link is to end it; to change a delivery is to replay, re-read or cancel it."""

REPORTER = {
    app: {model: READ for model in models if model != "intakekey"} for app, models in EDITOR.items()
}

NAMES = {
    "customattribute": "custom attribute",
    "technicalcontact": "technical contact",
    "responserule": "response rule",
    "expectedresponse": "expected response",
    "connectiontest": "connection test",
    "deliveryattempt": "delivery attempt",
    "breakerstate": "breaker state",
    "intakekey": "intake key",
}


def make_roles(apps, schema_editor):
    """Make both groups; doing it twice changes nothing."""
    for name, rights in (("Editor", EDITOR), ("Reporter", REPORTER)):
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*_permissions(apps, rights))


def forget_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=("Editor", "Reporter")).delete()


def _permissions(apps, rights):
    # Django makes permissions after all migrations; those made here under the same names are kept.
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    for app, models in rights.items():
        for model, actions in models.items():
            content_type, _ = content_types.get_or_create(app_label=app, model=model)
            for action in actions:
                permission, _ = permissions.get_or_create(
                    content_type=content_type,
                    codename=f"{action}_{model}",
                    defaults={"name": f"Can {action} {NAMES.get(model, model)}"},
                )
                yield permission


class Migration(migrations.Migration):

    dependencies = [
        ("connections", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, forget_roles)]
