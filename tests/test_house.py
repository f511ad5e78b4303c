"""The files around the code: what they name exists, what they pin is pinned, and no machine of ours is in them."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def text(path):
    return (ROOT / path).read_text()


def targets():
    return set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))


def test_every_target_sets_up_first():
    for line in re.findall(r"^[a-z-]+:.*$", text("Makefile"), re.MULTILINE):
        assert line.split(":")[1].split() == ["$(STAMP)"]
    assert targets() == {
        "setup",
        "demo",
        "up",
        "down",
        "test",
        "long",
        "search",
        "cases",
        "simulate",
        "crash",
        "fuzz-api",
        "client",
        "check",
        "bench",
        "peers",
        "lock",
    }


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]


def test_the_commands_of_the_readme_and_of_the_guides_exist():
    pages = "\n".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", pages, re.MULTILINE)) <= targets()
    named = set(re.findall(r"(?:^|`|&& )(?:\.venv/bin/)?omc ([a-z-]+)", pages, re.MULTILINE))
    shown = subprocess.run([ROOT / ".venv/bin/omc", "--help"], capture_output=True, text=True, check=True).stdout
    assert named - set(re.findall(r"^  ([a-z-]+) ", shown, re.MULTILINE)) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_the_lock_names_versions_and_hashes_and_no_index():
    lock = text("requirements.lock")
    assert "://" not in lock
    assert "--index" not in lock
    for requirement in re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", lock, re.MULTILINE | re.DOTALL):
        assert re.match(r"^[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==", requirement)
        assert "--hash=sha256:" in requirement


def test_everything_that_the_project_asks_for_is_locked():
    project = tomllib.loads(text("pyproject.toml"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    asked += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", text("requirements.lock"), re.MULTILINE))
    names = {re.split(r"[\[>=<; ]", each)[0].lower().replace("_", "-") for each in asked}
    assert names - locked == set()


def test_the_compose_file_has_a_database_a_head_and_workers_of_one_image():
    services = yaml.safe_load(text("docker-compose.yml"))["services"]
    assert set(services) == {"database", "head", "worker"}
    assert services["head"]["image"] == services["worker"]["image"]
    for port in services["head"]["ports"]:
        assert port.startswith("127.0.0.1:")
    assert "ports" not in services["database"]
    assert "ports" not in services["worker"]
    assert (ROOT / services["head"]["build"]["dockerfile"]).exists()


def test_the_image_copies_what_exists_and_runs_as_a_user():
    dockerfile = text("cluster/Dockerfile")
    instructions = re.sub(r"\\\n", " ", dockerfile)
    for line in re.findall(r"^COPY (.*)$", instructions, re.MULTILINE):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        assert [source for source in sources if not (ROOT / source).exists()] == []
    assert re.search(r"^FROM \S+:\d\S+$", instructions, re.MULTILINE)
    assert re.search(r"^USER omc$", instructions, re.MULTILINE)


def test_the_workflow_runs_the_projects_own_targets_with_pinned_actions():
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(re.search(r"@v\d+\.\d+\.\d+$", step["uses"]) for step in steps if "uses" in step)
    assert {step["run"] for step in steps if "run" in step} == {"make setup", ".ci/run", "make demo"}


def test_ci_runs_the_readmes_test_command_and_the_checks():
    assert re.findall(r"^make .*$", text(".ci/run"), re.MULTILINE) == ["make test", "make long", "make check"]
    assert "make test" in text("README.md")


def test_the_wheel_holds_the_core_alone():
    project = tomllib.loads(text("pyproject.toml"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["omc"]
    assert "MIT" in text("LICENSE")
