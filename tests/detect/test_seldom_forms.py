"""Forms of attacks that lists of payloads seldom have, each beside ordinary requests that look like it."""

from __future__ import annotations

import pytest
from detect_verdicts import attack

from logvision.detect import Detector
from logvision.schema import Attack


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        # Script: whatever is handed to the call, and whoever calls it.
        ("/a?note=alert(4%2F2)", Attack.XSS),
        ("/a?note=parent.confirm(2)", Attack.XSS),
        ("/a?note=prompt.call(null,2)", Attack.XSS),
        ("/a?note=new+Thing(()%3D%3Econfirm(2))", Attack.XSS),
        ("/a?note=%5Bconfirm%5D.map(f%3D%3Ef(2))", Attack.XSS),
        ("/a?note=%5Bread%5D(javascript:confirm%602%60)", Attack.XSS),
        ("/a?note=%5Bread%5D%5Bk%5D%0A%5Bk%5D:%20javascript:confirm%602%60", Attack.XSS),
        ("/a?note=%5C74svg%20onload", Attack.XSS),
        ("/a?next=javascript:shop.example.com/x", Attack.XSS),
        ("/tags/confirm(2-1)", Attack.XSS),
        ("/a?v=%3B+throw+new+TypeError(%27a%27)//", Attack.XSS),
        # What a database takes for a comment is text to a browser.
        ("/a?note=BM/*%3Csvg%20onload%3Dconfirm(2)%3E*/", Attack.XSS),
        ("/a?note=%3C%C5%BFcript%3Econfirm(2)%3C/%C5%BFcript%3E", Attack.XSS),
        ("/a?user=guest)(*", Attack.LDAP),
        ("/a?user=guest)(*)(mail%3D*", Attack.LDAP),
        ("/staff/*)(mail%3D*", Attack.LDAP),
        ("/a?user=%27+or+true()+or+%27%27%3D%27", Attack.LDAP),
        ("/a?user=%27+or+//staff%5B1%5D/mail+or+%271%27%3D%272", Attack.LDAP),
        ("/a?host=%3Bip+route", Attack.RCE),
        ("/a?host=%3Bss+-lnt", Attack.RCE),
        ("/a?cell=%3Dcmd%7C%27/C+notepad%27!B2", Attack.RCE),
        ("/a?name=%27+MOD+0--", Attack.SQLI),
        ("/a?id=xp_cmdshell", Attack.SQLI),
        ("/a?name=%27%3B+CREATE+OR+REPLACE+VIEW+v+AS+SELECT+1--", Attack.SQLI),
        ("/a?feed=http://cache.prod.svc:6379/", Attack.SSRF),
        ("/a?feed=http://web.service.consul:8500/", Attack.SSRF),
        ("/fetch/gopher://127.0.0.1:25/_HELO", Attack.SSRF),
        ("/a?next=//b%D0%B0nk.example/", Attack.REDIRECT),
        ("/a?p=%7B%7B%5B%27w%27%5D%7Cfilter(%27passthru%27)%7D%7D", Attack.SSTI),
        ("/a?lang=%5CnSet-Cookie:%20a%3Db", Attack.CRLF),
        ("/a?p=$%7Bnew+Thing(%22x%22).run%7D", Attack.SSTI),
        ("/a?p=$%7B%22x%22.toURL().text%7D", Attack.SSTI),
        ("/a?p=%5B%3D4*5%5D", Attack.SSTI),
        ("/a?p=%7Bmath+equation%3D%223*4%22%7D", Attack.SSTI),
        ("/a?p=%7Bif+3*4%7Dx%7B/if%7D", Attack.SSTI),
        ("/a?name=x%27+OR+EXISTS(SELECT+1+FROM+t)--", Attack.SQLI),
        ("/a?host=%3B%7Bls%7D", Attack.RCE),
        ("/a?host=tac%3C/etc/issue", Attack.RCE),
        ("/a?host=v%3D$'ls+-l'%3B$v", Attack.RCE),
        ("/a?file=/?tc/?asswd", Attack.RCE),
        ("/a?host=u%60%60name+-a", Attack.RCE),
        ("/a?host=hos$@tname", Attack.RCE),
        ("/a?host=ping%25ProgramData:~2,-9%25x", Attack.RCE),
        ("/a?key=-oProxyCommand%3Dx", Attack.RCE),
        ("/a?page=ftp://files.example/m.php", Attack.RFI),
        ("/a?page=http://10.1.2.3/m.txt", Attack.RFI),
        ("/a?v=print_r(x)", Attack.PHP),
        # A sentence does not begin with an element.
        ("/a?note=%3Ci%20onclick%3Dconfirm(2)%3Ex%3C/i%3E", Attack.XSS),
    ],
)
def test_a_seldom_form_is_an_attack_of_its_class(detector: Detector, target: str, kind: Attack) -> None:
    assert attack(detector, target) == kind.value


@pytest.mark.parametrize(
    "target",
    [
        "/search?q=alert(s)",
        "/search?q=Prompt+(2019+film)",
        "/search?q=throw+new+Error+in+javascript",
        "/a?list=%5Balert%2Cinfo%5D",
        "/readme?note=%5Bread%5D(https://example.org/alert)",
        "/css?v=a/*+%3E+b+*/c",
        "/wiki/Straße_(ſchrift)",
        "/a?user=f(x)(*)",
        "/a?where_clause=%60users%60.%60id%60+%3D+17",
        "/graphql?query=query+Find(%24q:String)%7Bfind(q:%24q)%7Bid+...on+Page%7Btitle%7D%7D%7D",
        "/a?cell=%3DSUM(A1:A9)%7C2",
        "/a?feed=http://svc.example.org/rss",
        "/a?site=https://банк.example/",
        "/proxy/http://localhost:3000/logo.png",
        "/web/2019/http://example.org/a",
        "/a?path=C:%5Cnew%5Cnext",
        "/w/index.php?search=xp_cmdshell",
        "/w/index.php?search=information_schema.tables",
        "/a?p=$%7Bitem.name%7D",
        "/a?p=%7Bmath%7D+and+%7Bart%7D",
        "/a?set=a;%7Bb,c%7D",
        "/a?p=$%7BencodeURIComponent(id)%7D",
        "/a?p=%5Ba=3%5D",
        "/a?x=a%3Cb/c",
        "/a?opt=--color%3Dred",
        "/a?offer=50%25+off:+~20%25",
        "/a?image=http://host.example/a.php",
        "/a?page=https://host.example/a.html",
    ],
)
def test_the_nearest_ordinary_text_is_none(detector: Detector, target: str) -> None:
    assert attack(detector, target) is None


def test_a_sign_in_may_lead_to_the_visitors_own_machine(detector: Detector) -> None:
    assert attack(detector, "/authorize?redirect_uri=http://localhost:8080/done&client_id=a") is None
    assert attack(detector, "/fetch?url=http://localhost:8080/done") == Attack.SSRF.value
