"""Rows that are one person's alone, so that others can ask for them: a conversation, a key, a session, a token."""

from __future__ import annotations

from tests.people import People
from tokenboard.accounts import api_tokens
from tokenboard.accounts.models import Person, SignIn
from tokenboard.accounts.security_models import OidcIdentity
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db, new_id
from tokenboard.keys import key_service
from tokenboard.keys.rules import Limits
from tokenboard.workspaces.models import Workspace


def alices_ids(people: People) -> dict[str, tuple[str, ...]]:
    """The ids that each row "whose it is" of the map is asked with: Alice's own, in the team."""
    with people.app.app_context():
        alice = db.session.get_one(Person, people.alice.id)
        conversation_id, message_id = _conversation(people)
        sign_in = SignIn(person_id=alice.id, token_hash=token_hash(new_token()))
        identity = OidcIdentity(person_id=alice.id, issuer="https://issuer.example", subject=new_id())
        db.session.add_all([sign_in, identity])
        key = _key(people, alice)
        token, _ = api_tokens.make(alice, name="mine", days=30)
        db.session.commit()
        return _by_call(conversation_id, message_id, key, sign_in.id, token.id, identity.id)


def _conversation(people: People) -> tuple[str, str]:
    conversation = Conversation(workspace_id=people.team_id, person_id=people.alice.id, title="Mine", model="m")
    db.session.add(conversation)
    db.session.flush()
    written = [
        Message(conversation_id=conversation.id, position=1, role="user", content="canary", status="done"),
        Message(conversation_id=conversation.id, position=2, role="assistant", content="canary", status="done"),
    ]
    db.session.add_all(written)
    db.session.flush()
    return conversation.id, written[1].id


def _key(people: People, alice: Person) -> str:
    team = db.session.get_one(Workspace, people.team_id)
    return key_service.create_key(workspace=team, person=alice, name="canary", limits=Limits(), client_key=None).key.id


def _by_call(
    conversation: str, message: str, key: str, sign_in: str, token: str, identity: str
) -> dict[str, tuple[str, ...]]:
    of = {
        conversation: (
            *("GET /api/conversations/:id/messages", "PATCH /api/conversations/:id", "DELETE /api/conversations/:id"),
            *("GET /chat/:conversationId", "POST /chat/:conversationId", "POST /chat/:conversationId/title"),
            *("POST /chat/:conversationId/pin", "POST /chat/:conversationId/delete"),
            *("GET /chat/:conversationId/export.md", "GET /chat/:conversationId/export.json"),
        ),
        message: (
            *("POST /api/chat/:messageId/stop", "GET /api/chat/:messageId/events"),
            *("POST /chat/messages/:id/regenerate", "POST /chat/messages/:id/edit", "POST /chat/messages/:id/stop"),
            *("GET /chat/messages/:id/stream", "GET /chat/messages/:id/receipt"),
        ),
        key: (
            *("PATCH /api/keys/:id", "POST /api/keys/:id/block", "POST /api/keys/:id/unblock"),
            *("POST /api/keys/:id/rotate", "DELETE /api/keys/:id"),
            *("GET /keys/:id", "POST /keys/:id/limits", "POST /keys/:id/pause", "POST /keys/:id/resume"),
            *("POST /keys/:id/rotate", "POST /keys/:id/revoke"),
        ),
        sign_in: ("DELETE /api/account/sessions/:id", "POST /account/sessions/:id/end"),
        token: ("DELETE /api/account/tokens/:id", "POST /settings/security/tokens/:id/end"),
        identity: ("POST /settings/security/identities/:id/remove",),
    }
    each = {call: (row_id,) for row_id, calls in of.items() for call in calls}
    return each | {"GET /keys/:id/requests/:id": (key, new_id())}
