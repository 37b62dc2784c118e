"""What can go wrong with virtual keys.

KeyNotFound      404  no such key, or somebody else's
KeyNotUsable     401  an unknown, revoked or expired secret: not told apart to whoever holds it
KeyPaused        403  the key is known and paused; says why
AddressRefused   403  the key is known and may not be used from there
TooManyKeys      409  a limit of this workspace
KeyIsRevoked     409  what is revoked cannot be changed
ModelNotAllowed  403  the key may not ask this model
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, Forbidden, NotFound, Unauthenticated


class KeyNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such key.")


class KeyNotUsable(Unauthenticated):
    code = "invalid_api_key"

    def __init__(self) -> None:
        super().__init__("This key is not known, has expired or was revoked. Make a new one on the keys page.")


class KeyPaused(Forbidden):
    code = "key_paused"

    def __init__(self, reason: str) -> None:
        super().__init__(_WHY.get(reason, _WHY["person"]))


_WHY = {
    "person": "This key is paused. Its owner can resume it on the keys page.",
    "credits": "This key is paused: its workspace has used more credits than it has. Add credits, and it resumes.",
    "leaver": "This key is paused: its owner has left the workspace. An admin of it can resume or revoke the key.",
    "admin": "This key was paused by an administrator of this site.",
}


class AddressRefused(Forbidden):
    code = "address_not_allowed"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"This key may not be used from {address or 'an unknown address'}. "
            "Its holder can allow the address on the key's page."
        )


class TooManyKeys(Conflict):
    code = "too_many_keys"

    def __init__(self, most: int) -> None:
        super().__init__(f"A workspace has at most {most} keys. Revoke one that is not used any more.")


class KeyIsRevoked(Conflict):
    code = "key_revoked"

    def __init__(self) -> None:
        super().__init__("This key is revoked. Make a new one.")


class ModelNotAllowed(Forbidden):
    code = "model_not_allowed"

    def __init__(self, model: str) -> None:
        super().__init__(f"This key may not use the model {model}. Choose another, or let an admin change the key.")
