"""The workspace's settings page and its forms."""

from __future__ import annotations

import pytest

PAGE = "/settings/workspace"


@pytest.fixture
def chosen(people):
    """A browser of somebody in the team, with the team chosen."""

    def choose(someone):
        browser = people.browser(someone)
        browser.post("/workspaces/switch", {"workspace_id": people.team_id})
        return browser

    return choose


def test_an_admin_sees_every_form_and_a_viewer_none_of_them(people, chosen):
    admin, viewer = chosen(people.dave).get(PAGE).text, chosen(people.vera).get(PAGE).text

    for form in ('action="/settings/workspace"', 'action="/settings/workspace/invitations"', ">Change<"):
        assert form in admin
        assert form not in viewer
    assert "bob@example.com" in viewer


@pytest.mark.parametrize("block", ["workspace_name", "members", "invitations", "new_workspace"])
def test_each_block_comes_as_a_page_and_as_a_fragment(people, chosen, block):
    browser = chosen(people.alice)

    page, fragment = browser.get(PAGE).text, browser.fragment(PAGE, block).text

    assert f'id="{block}"' in page
    assert fragment.lstrip().startswith(f'<section class="card" id="{block}"')
    assert "<html" not in fragment


def test_renaming_shows_the_new_name(people, chosen):
    browser = chosen(people.alice)

    answer = browser.post(PAGE, {"workspace_id": people.team_id, "name": "Acme Inc"})

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert 'value="Acme Inc"' in browser.get(PAGE).text


def test_a_form_acts_on_the_workspace_it_shows_not_on_the_chosen_one(people):
    browser = people.browser(people.alice)  # has chosen her own

    browser.post(PAGE, {"workspace_id": people.team_id, "name": "Acme Inc"})

    names = {one["name"] for one in browser.get("/api/workspaces").json["workspaces"]}
    assert names == {"Acme Inc", "Alice’s workspace"}


@pytest.mark.parametrize(
    ("path", "form", "block"),
    [
        (PAGE, {"name": " "}, "workspace_name"),
        (f"{PAGE}/invitations", {"email": "bob@", "role": "member", "cap": "1,5"}, "invitations"),
        (f"{PAGE}/invitations", {"email": "bob@example.com", "role": "member"}, "invitations"),
        ("/workspaces", {"name": "x" * 81}, "new_workspace"),
    ],
)
def test_a_refused_form_comes_back_with_reasons_and_what_was_typed(people, chosen, path, form, block):
    browser = chosen(people.alice)
    sent = form | {"workspace_id": people.team_id}

    page = browser.post(path, sent)
    fragment = browser.post(path, sent, headers={"HX-Request": "true", "HX-Target": block})

    assert page.status_code == fragment.status_code
    assert page.status_code in {409, 422}
    assert 'role="alert"' in fragment.text
    assert f'id="{block}"' in fragment.text
    assert "<html" in page.text
    assert "<html" not in fragment.text
    for typed in form.values():
        assert not typed.strip() or typed in page.text


def test_a_refused_change_of_a_member_keeps_its_menu_open(people, chosen):
    form = {"workspace_id": people.team_id, "person_id": people.bob.id, "role": "viewer", "cap": "12,50"}

    answer = chosen(people.alice).post(f"{PAGE}/members/{people.bob.id}", form)

    assert answer.status_code == 422
    assert "data-menu open" in answer.text
    assert 'value="12,50"' in answer.text


def test_a_member_s_role_and_cap_are_saved(people, chosen):
    browser = chosen(people.dave)
    form = {"workspace_id": people.team_id, "role": "viewer", "cap": "12.50"}

    assert browser.post(f"{PAGE}/members/{people.bob.id}", form).status_code == 303

    assert "at most $12.50 a month" in browser.get(PAGE).text


def test_the_htmx_answer_to_a_good_form_is_a_redirect(people, chosen):
    form = {"workspace_id": people.team_id, "name": "Acme Inc"}

    answer = chosen(people.alice).post(PAGE, form, headers={"HX-Request": "true", "HX-Target": "workspace_name"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, PAGE)


def test_inviting_and_withdrawing_by_form(people, chosen):
    browser = chosen(people.alice)
    form = {"workspace_id": people.team_id, "email": "new@example.com", "role": "viewer"}

    assert browser.post(f"{PAGE}/invitations", form).status_code == 303
    assert "new@example.com" in browser.get(PAGE).text
    [offer] = browser.get(f"/api/workspaces/{people.team_id}/invitations").json["invitations"]
    browser.post(f"{PAGE}/invitations/{offer['id']}/withdraw", {"workspace_id": people.team_id})

    assert browser.get(f"/api/workspaces/{people.team_id}/invitations").json["invitations"] == []


def test_leaving_leads_to_the_dashboard_of_ones_own(people, chosen):
    browser = chosen(people.vera)

    answer = browser.post(f"{PAGE}/members/{people.vera.id}/remove", {"workspace_id": people.team_id})

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    assert "Acme" not in browser.get(PAGE).text.replace("left Acme", "")


def test_a_new_workspace_is_chosen_at_once(people):
    browser = people.browser(people.bob)

    assert browser.post("/workspaces", {"name": "Bob & Co"}).location == PAGE

    assert 'value="Bob &amp; Co"' in browser.get(PAGE).text


@pytest.mark.parametrize("path", ["", "/invitations", "/members/{vera}", "/members/{vera}/remove"])
def test_a_member_may_send_none_of_these_forms_and_a_stranger_finds_nothing(people, path):
    address = PAGE + path.format(vera=people.vera.id)
    form = {"workspace_id": people.team_id, "name": "x", "email": "x@example.com", "role": "viewer"}

    assert people.browser(people.bob).post(address, form).status_code == 403
    assert people.browser(people.charlie).post(address, form).status_code == 404
    assert people.browser().post(address, form).location.startswith("/login")


def test_a_form_that_names_no_workspace_changes_none(people):
    assert people.browser(people.alice).post(PAGE, {"name": "x"}).status_code == 404


@pytest.mark.parametrize("path", ["", "/invitations", "/members/{bob}"])
def test_a_form_without_its_fields_is_refused_and_does_not_break(people, path):
    form = {"workspace_id": people.team_id}

    assert people.browser(people.alice).post(PAGE + path.format(bob=people.bob.id), form).status_code == 422
