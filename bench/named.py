"""Does a path name a file that is no page, or a tool that no visitor uses? It knows nothing of the detector.

Lists of sensitive requests name files that a site serves by mistake (`/.env`, `/dump.sql`) and tools of
those who run it (`/phpinfo.php`, `/actuator/heapdump`), but bare pages of products as well (`/owa/`,
`/login.action`), for which everybody asks who uses the product: of these a line alone does not tell who asks.
The criterion, over the decoded path without its query, whatever the case:

- a dot-file or what lies in a dot-folder, but for `.well-known`;
- an ending of backups, dumps, databases, archives, keys, logs, settings, sources or version control
  (`ENDINGS`), or a name that ends in `~` or stands between `#`;
- a name that only settings, passwords, keys, dumps, logs or a project's own files bear (`NAMES`);
- a tool that shows or changes a server's inside (`TOOLS`): database screens, phpinfo, status and debug pages.

All else is a page.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_BACKUPS = "bak|back|backup|bkp|bk|old|orig|original|save?|sav|swp|swo|tmp|temp|copy|dist|default|sample"
_DATABASES = "sql|sqlite3?|db3?|mdb|accdb|dump|dmp|bson|rdb|frm|myd|myi|ibd|[lmn]df|ldif"
_ARCHIVES = "zip|rar|7z|tar|t?gz|t?bz2?|t?xz|war|ear"
_KEYS = (
    "key|pem|crt|cer|p12|pfx|jks|keystore|ppk|kdbx?|ovpn|pgp|gpg|asc|ht(?:passwd|access|group)|passwd|pgpass"
)
_LOGS = "log|err|out|trace|core|pid|hprof"
_SETTINGS = "conf|config|cfg|cnf|ini|inc|env|prop(?:erties)?|toml|tfstate|tfvars|ya?ml|lock"
_SOURCES = "git|svn|hg|bzr|patch|diff|rej|sh|bash|bat|cmd|ps1|pyc?|rb|phps|asax?|md5"
ENDINGS = re.compile("|".join((_BACKUPS, _DATABASES, _ARCHIVES, _KEYS, _LOGS, _SETTINGS, _SOURCES)))

NAMES = re.compile(
    r"(?:[\w-]*[._-])?(?:config(?:uration)?|conf|settings?|passw(?:or)?ds?|credentials?|secrets?|database|"
    r"dbconn(?:ect)?|connect(?:ion)?|parameters|appsettings|local|localsettings|environment|env|dump|backup|users|"
    r"accounts|shadow)(?:[._-][\w-]+)*\.(?:php\d?|aspx?|jsp|json|xml|txt|js|csv|inc)|"
    r"[\w-]*(?:logs?|errors?|dump|backup|passwords?)\.(?:txt|html?|csv)|"
    r"id_(?:[dr]sa|ed25519|ecdsa)|authorized_keys|known_hosts|(?:docker|jenkins|vagrant|proc|gem|rake|make)file|"
    r"(?:grunt|gulp)file\.js|composer\.(?:json|lock)|package(?:-lock)?\.json|bower\.json|requirements\.txt|"
    r"(?:web|context|server|tomcat-users)\.xml|wp-config[\w.]*|(?:error|access)_log|cvs|entries|passwd|shadow|"
    r"heapdump|core|dump|backup|(?:service-?account|aws|firebase)[\w-]*\.json"
)
TOOLS = re.compile(
    r"(?:^|/)(?:php-?info\d?(?:\.php\d?)?|(?:info|i|pi|test|status|opcache|apc|memcached?|phpminiadmin)\.php|"
    r"server-(?:status|info)|nginx_status|fpm-status|adminer[\w.-]*|php-?my-?admin[\w.-]*|pma|phppgadmin|pgadmin\d?|"
    r"sqlbuddy|dbadmin|myadmin|mysqladmin|actuator|heapdump|threaddump|jolokia|trace\.axd|elmah(?:\.axd)?|"
    r"debug(?:/pprof|/vars|/default|bar)?|pprof|_profiler|telescope|horizon|_ignition|console|"
    r"(?:jmx|web|admin)-console|manager/(?:html|text|status)|host-manager|phpunit|eval-stdin\.php|clockwork|"
    r"_debugbar|xdebug|(?:web|meta)-inf|cvs)(?:/|$)"
)


def names_a_file(target: str) -> bool:
    """Whether the path names what is no page; see above."""
    path = unquote(unquote(target.partition("?")[0])).lower()
    segments = [each for each in path.split("/") if each not in ("", ".", "..")]
    if any(each[0] == "." and each != ".well-known" for each in segments) or TOOLS.search(path):
        return True
    if not segments or path.endswith("/"):
        return False
    name = segments[-1]
    if name.endswith("~") or (name[0] == "#" and name[-1] == "#"):
        return True
    _, dot, ending = name.rpartition(".")
    return bool(dot and ENDINGS.fullmatch(ending)) or NAMES.fullmatch(name) is not None
