"""What surrounds every page: who is signed in, which workspace, where one can go, what the site must say.

The portal fills it in (it knows people and workspaces); templates/base.html shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ShellPerson:
    display_name: str
    email: str
    initials: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class ShellWorkspace:
    id: str
    name: str
    role: str
    is_current: bool
    is_demo: bool


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One place to go. `is_elsewhere`: another site's, such as the Open WebUI in front of us."""

    label: str
    href: str
    icon: str
    is_current: bool
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """A line above the page. `kind` is info, warning or demo. `action` takes a form without fields."""

    kind: str
    text: str
    href: str = ""
    link_text: str = ""
    action: str = ""
    action_text: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """The pill: what the workspace can spend. `money` is what that is worth, `micros` what a poll has seen."""

    text: str
    micros: int
    money: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """Everything base.html needs."""

    person: ShellPerson | None = None
    workspace: ShellWorkspace | None = None
    workspaces: tuple[ShellWorkspace, ...] = ()
    navigation: tuple[NavigationItem, ...] = ()
    banners: tuple[Banner, ...] = ()
    theme: str = "system"
    balance: Balance | None = None
    toasts: tuple[tuple[str, str], ...] = field(default=())


def initials(name: str) -> str:
    """Up to two letters for the round badge."""
    words = [word for word in name.replace(".", " ").replace("-", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"
