"""What people type and what pages are called, hard look-alikes of attacks among them."""

# ruff: noqa: E501 (tables of text read better unbroken)

from __future__ import annotations

THINGS = (
    "lamp", "desk", "chair", "kettle", "backpack", "jacket", "sneaker", "watch", "guitar", "camera", "tripod", "tent",
    "bottle", "mug", "pillow", "blanket", "notebook", "headphones", "keyboard", "monitor", "router", "drill", "saw",
    "hammer", "paint", "brush", "helmet", "glove", "scarf", "ring", "shelf", "mirror", "clock", "radio", "speaker",
    "charger", "cable", "adapter", "rope", "drop-leaf-table", "union-jack-mug", "select-oak-board", "script-pen",
)  # fmt: skip
LOOKS = (
    "red", "blue", "green", "black", "white", "oak", "steel", "linen", "cotton", "walnut", "brass", "matte", "vintage",
    "modern", "compact", "foldable", "wireless", "solar", "portable", "heavy-duty", "kids", "outdoor", "classic", "slim",
)  # fmt: skip
TOPICS = (
    "travel", "garden", "kitchen", "money", "health", "school", "music", "weather", "history", "science", "sport", "train",
    "coffee", "bread", "winter", "summer", "city", "village", "river", "mountain", "camera", "privacy", "linux", "python",
    "database", "network", "privacy", "backup", "energy", "housing",
)  # fmt: skip
VERBS = (
    "how-to-choose", "a-guide-to", "ten-ideas-for", "why-we-love", "the-end-of", "notes-on", "what-is-new-in", "a-year-of",
    "understanding", "the-case-against", "living-with", "field-report", "best-of", "rebuilding", "questions-about",
)  # fmt: skip

SLUGS = (
    "sql-injection-explained", "union-select-in-one-page", "how-we-fixed-an-xss-bug", "what-is-path-traversal",
    "etc-passwd-file-format", "log4shell-five-years-later", "error-script", "select-the-right-union", "or-1-1-the-classic",
    "drop-table-students", "the-admin-php-story", "cat-photos-and-cat-commands", "phpinfo-considered-harmful",
    "wget-vs-curl", "why-eval-is-evil", "alert-fatigue", "web-shells-a-history", "backup-your-env-files",
    "exec-summary-2026", "shell-companies-and-passwd-leaks",
)  # fmt: skip
"""Slugs with attack words and no attack."""

SHOP_SEARCHES = (
    "O'Brien", "D'Angelo shirt", "children's books", "L'Oréal", "Levi's 501", "men's & women's", "7/8 wrench", '27" monitor',
    "1/2\" drive socket", "5'10\" curtain", "AT&T", "black+decker", "C++ primer", "50% off", "100% cotton", "<5kg dumbbell",
    "price < 20", "size=XL or XXL", "select comfort mattress", "union jack flag", "drop leaf table", "table and chairs or bench",
    "script font stamp", "alert bracelet", "script: the musical (dvd)", "insert coin t-shirt", "update kit for v2", "exec desk",
    "order by mail", "group by colour", "null modem cable", "or else", "rock 'n' roll", "rock'n'roll", "it's a wonderful life",
    "--- clearance ---", "*", "?", "%", "a'b", "salt & pepper; set of 2", "cat | dog door", "$20 gift card", "${name} mug",
    "{{love}} poster", "e=mc^2", "x²+y²=1", "1+1=2", "@home", "#1 dad", "sleep(less) in seattle", "ls-3000 lens", "id 12",
    "кофеварка", "чайник электрический", "コーヒーメーカー", "电饭煲", "保温杯 500ml", "무선 이어폰", "قهوة عربية", "שולחן כתיבה", "καφετιέρα",
    "กาแฟ", "cà phê sữa", "çay bardağı", "łóżko 160x200", "größe 42", "señorita", "naïve café", "bücherregal weiß", "ヘッドホン ワイヤレス",
)  # fmt: skip
CODE_SEARCHES = (
    "SELECT * FROM users WHERE id = 1", "select count(*) from orders group by customer_id", "INSERT INTO t VALUES (1, 'a')",
    "left join on a.id = b.id", "DROP TABLE IF EXISTS tmp", "union all select null", "where 1=1 and", "order by 1 desc limit 10",
    "<script setup lang=\"ts\">", "<div onclick=", "document.cookie samesite", "alert() vs console.log", "innerHTML = ''",
    "<img src=x>", "javascript:void(0)", "#include <stdio.h>", "std::vector<int>&", "map<string, vector<int>>", "a && b || c",
    "if (x < 0) return;", "echo $PATH", "cat /etc/hosts", "rm -rf node_modules", "curl -s https://example.com | sh", "ls -la; pwd",
    "grep -r 'foo' .", "sudo apt-get install nginx", "/etc/nginx/nginx.conf", "../../lib/util.js", "C:\\Windows\\System32",
    "import os; os.system", "eval(", "exec()", "__proto__", "{{ user.name }}", "${jndi lookup}", "{% for x in y %}", "#{interp}",
    "<?php echo", "phpinfo()", "base64_decode", "$_GET['id']", "preg_replace /e", "sleep(5)", "benchmark", "waitfor delay",
    "information_schema.tables", "xp_cmdshell", "LD_PRELOAD", "O'Reilly regex (a|b)*", "rate(http_requests_total{job=\"api\"}[5m])",
    "sum by (instance) (up == 0)", "SELECT ?s WHERE { ?s ?p ?o }", "lambda x: x*2", "λ calculus", "数据库 索引", "正则表达式", "ошибка 404",
    "例外処理", "XMLHttpRequest", "<xml version=\"1.0\"?>", "<!DOCTYPE html>", "file:///tmp", "http://localhost:8080/", "169.254.169.254",
)  # fmt: skip
PROSE_SEARCHES = (
    "what's new", "can't log in", "I don't know what to do; help", "where is the admin page?", "change my password",
    "who is the union representative", "select committee report", "drop in sales from 2025 or 2026", "either/or", "and or not",
    "students' union and their votes", "how do I delete from my list", "Sinéad O'Connor", "Ngũgĩ wa Thiong'o", "Xi'an",
    "l'été à l'hôtel", "rock & roll (live)", "\"exact phrase\" -without", "title:(cat OR dog) AND year:[2020 TO 2026]", "a, b; c",
    "новости сегодня", "天気 予報 東京", "오늘 날씨", "أخبار اليوم", "חדשות", "สภาพอากาศ", "समाचार", "ειδήσεις", "thời tiết", "größe und maß",
    "cost (in €) > 100", "50 % of all", "C# vs. C++", "win32/64", "..", "...", "n/a", "null", "undefined", "true", "0", "-1", "1e5",
)  # fmt: skip

REFERRERS = (
    ("-", 40), ("https://www.google.com/", 30), ("https://www.bing.com/", 4), ("https://duckduckgo.com/", 3),
    ("https://www.baidu.com/link?url=kT3dG8xVbQ", 2), ("https://yandex.ru/", 1.5), ("android-app://com.google.android.gm/", 1),
    ("https://t.co/9aXc2KqvLm", 2), ("https://l.facebook.com/", 3), ("https://www.reddit.com/", 2), ("https://chatgpt.com/", 2),
    ("https://news.ycombinator.com/", 1), ("https://www.linkedin.com/", 1), ("https://m.youtube.com/", 1),
    ("https://l.instagram.com/?u=https%3A%2F%2Fshop.example.com%2F%3Futm_source%3Dig&e=AT2x", 1),
    ("https://search.example.org/?q=o%27brien+or+%22smith%22", 0.5),
)  # fmt: skip
