# ruff: noqa: E501  a list of names is a datum of one line
"""Names of files that give secrets away: every name, with every suffix, in every place where lists look for them."""

from __future__ import annotations

from itertools import product

import pytest

from logvision.detect import Detector

PLACES = (
    "/",
    "/app/",
    "/api/",
    "/public/",
    "/admin/",
    "/backend/",
    "/laravel/",
    "/old/",
    "/v1/",
    "/shop/",
    "/blog/",
)
HIDDEN = (
    *(".env", ".git/config", ".git/HEAD", ".git/logs/HEAD", ".svn/entries", ".hg/store", ".DS_Store", ".npmrc"),
    *(".vscode/sftp.json", ".idea/workspace.xml", ".htpasswd", ".aws/credentials", ".ssh/id_rsa", ".user.ini"),
    *(".docker/config.json", ".bash_history", ".config.php.swp", ".gitlab-ci.yml", ".ftpconfig"),
)  # fmt: skip
ENVIRONMENTS = (
    *("", ".local", ".bak", ".production", ".old", ".save", ".example", ".php", "~", ".swp", "_copy", "1", ".json"),
    *(".production.local", ".docker"),
)  # fmt: skip
SCRIPTS = (
    "config.php",
    "wp-config.php",
    "configuration.php",
    "settings.php",
    "database.php",
    "index.php",
    "login.php",
)
COPIES = (
    ".bak",
    ".old",
    "~",
    ".save",
    ".swp",
    ".orig",
    ".txt",
    ".zip",
    ".1",
    ".backup",
    "_bak",
    ".copy",
    ".tmp",
    ".inc",
)
SETTINGS = ("config", "settings", "database", "secrets", "credentials", "parameters", "db", "local")
FORMS = (".yml", ".yaml", ".ini", ".inc", ".conf", ".cfg", ".properties", ".toml", ".env", ".bak", ".sql")
DUMPS = (
    "backup",
    "dump",
    "db",
    "database",
    "www",
    "users",
    "mysql",
    "wordpress",
    "customers",
    "db_backup",
    "backup_2023",
)
PACKED = (".sql", ".sql.gz", ".zip", ".tar.gz", ".rar", ".7z", ".tgz", ".bak", ".sqlite")
LOGS = (
    "error_log",
    "error.log",
    "debug.log",
    "access.log",
    "storage/logs/laravel.log",
    "php_errors.log",
    "log.txt",
)
OTHERS = (
    *("docker-compose.yml", "Dockerfile", "composer.json", "composer.lock", "package-lock.json", "web.config"),
    *("sftp-config.json", "terraform.tfstate", "id_rsa", "server.key", "privkey.pem", "service-account.json"),
    *("credentials.json", "elmah.axd", "WEB-INF/web.xml", "application.properties", "tomcat-users.xml", "php.ini"),
)  # fmt: skip


pytestmark = pytest.mark.slow


def missed(detector: Detector, paths: list[str]) -> list[str]:
    size = len(paths)
    nobody: list[str | None] = [None] * size
    verdicts = detector.judge(paths, ["Mozilla/5.0"] * size, nobody, ["GET"] * size, [200] * size)
    return [
        path for path, score in zip(paths, verdicts.column("score").to_pylist(), strict=True) if score < 0.5
    ]


@pytest.mark.parametrize(
    ("names", "suffixes"),
    [
        (HIDDEN, ("",)),
        ((".env",), ENVIRONMENTS),
        (SCRIPTS, COPIES),
        (SETTINGS, FORMS),
        (DUMPS, PACKED),
        (LOGS, ("",)),
        (OTHERS, ("",)),
    ],
    ids=["hidden", "environments", "copies", "settings", "dumps", "logs", "others"],
)
def test_a_name_that_gives_secrets_away_is_known_in_every_place_whatever_is_answered(
    detector: Detector, names: tuple[str, ...], suffixes: tuple[str, ...]
) -> None:
    paths = [place + name + suffix for place, name, suffix in product(PLACES, names, suffixes)]
    assert missed(detector, paths) == []


def test_pages_and_parts_of_pages_beside_them_are_none(detector: Detector) -> None:
    ordinary = (
        *(
            "config.js",
            "settings",
            "database/",
            "backup",
            "users.html",
            "dump.png",
            "logs.css",
            "environment.html",
        ),
        *(
            "env.svg",
            "git.html",
            "package.html",
            "credentials.pdf",
            "app.js",
            "main.css",
            "data.json",
            "locale.json",
        ),
    )
    paths = [place + name for place, name in product(PLACES, ordinary)]
    assert missed(detector, paths) == paths
