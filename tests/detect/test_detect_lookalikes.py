from __future__ import annotations

import pytest

from logvision.detect import Detector

ORDINARY = """
/search?q=O%27Brien
/search?q=O%27Reilly+%26+sons
/people?name=D%27Arcy+and+Shaun+O%27Neill%27s
/search?q=rock+%27n%27+roll
/search?q=%22black+and+white%22+photo
/search?q=18%22+necklace+or+20%22
/search?q=select+a+union+leader+from+the+list
/search?q=drop+table+lamp+and+order+by+phone
/search?q=insert+into+the+slot+where+it+fits
/blog/how-to-use-union-select-in-sql
/tutorial/sql/select-from-where-order-by
/page/error-script
/docs/etc/passwd-format
/questions/12345/what-does-eval-do-in-javascript
/search?q=how+to+edit+%2Fetc%2Fpasswd+on+ubuntu
/search?q=what+does+rm+-rf+do
/search?q=tom%3B+cat+and+mouse
/search?q=R%26D+net+income
/search?q=C%2B%2B+std%3A%3Avector%3Cint%3E
/search?q=List%3CString%3E+names
/search?q=if+%28a+%3C+b+%26%26+c+%3E+d%29
/search?q=x%3D1+and+y%3D2
/search?q=2%2B2%3D4
/search?q=f%28x%29%3Dsin%28x%29%2Fx
/search?q=issue+%2312+%28fixed%29
/search?q=50%25+off+--+today+only
/list?fields=id%7Cname%7Ctype
/list?sort=name%3Bdate&order=desc
/list?order_by=price+desc
/list?ids=1,2,3,4
/css/../img/logo.png
/a/b/../../static/app.js
/img?src=../images/photo.jpg
/api/items?filter=%7B%22price%22%3A%7B%22min%22%3A10%7D%7D
/api/items?where=%7B%22status%22%3A%22open%22%2C%22tags%22%3A%5B%22a%22%2C%22b%22%5D%7D
/odata/Products?$filter=Name%20eq%20%27Milk%27%20and%20Price%20lt%203
/odata/People('russellwhyte')/Friends?$select=FirstName&$top=5
/odata/Orders?$filter=contains(CustomerName,%27Smith%27)%20or%20Total%20gt%20100&$orderby=Date%20desc
/graphql?query=%7Buser(id%3A1)%7Bname%20posts%7Btitle%7D%7D%7D
/graphql?query=query+Q($id:ID!){node(id:$id){id}}&variables=%7B%22id%22%3A%22x%22%7D
/api/v1/query_range?query=sum(rate(http_requests_total%7Bjob%3D%22api%22%7D%5B5m%5D))+by+(code)&start=1&end=2&step=15
/api/v1/query?query=up%7Binstance%3D~%22.*%3A9100%22%7D+%3D%3D+1+or+vector(0)
/wms?SERVICE=WMS&REQUEST=GetMap&BBOX=-180,-90,180,90&CQL_FILTER=name%20LIKE%20%27A%25%27
/loki/api/v1/query?query=%7Bapp%3D%22web%22%7D%20%7C%3D%20%22error%22
/collect?v=1&dl=https%3A%2F%2Fexample.org%2Fpage%3Fa%3D1%26b%3D2&dt=Tom%20%26%20Jerry%3A%20the%20%22best%22%20of&dr=https%3A%2F%2Fwww.google.com%2F
/pixel?url=https%3A%2F%2Fshop.example.org%2Fsearch%3Fq%3Dred%2Bshoes%2526size%253D42&ref=https%3A%2F%2Fm.example.org%2F&t=Sale%21%20%2450%20or%20less
/share?u=https%3A%2F%2Fexample.org%2Fa%23section&title=What%27s+new%3F+A+%22guide%22
/login?next=%2Faccount%2Forders%3Fpage%3D2
/oauth?redirect_uri=https%3A%2F%2Fapp.example.org%2Fcb&state=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF_123
/redirect?to=https://example.com/welcome?utm_source=news&utm_medium=email
/proxy/image?url=https://cdn.example.org/a/b/c.jpg&w=200
/download?file=report-2024.pdf
/files?path=/Documents/My%20files/2024
/files?path=C%3A%5CUsers%5CMaria%5CDocuments%5Creport.docx
/filemanager?dir=/home/maria/photos&cmd=list
/editor/preview?content=%3Cp%3EHello+%3Cb%3Eworld%3C%2Fb%3E%3C%2Fp%3E
/editor/preview?content=%3Ch1%3ETitle%3C%2Fh1%3E%3Ca+href%3D%22https%3A%2F%2Fexample.org%22%3Elink%3C%2Fa%3E
/click?href=javascript%3Avoid(0)&label=menu
/img/%7B%7Bitem.image%7D%7D
/api/$%7Buser.id%7D/avatar
/render?template=hello+%7B%7Bname%7D%7D
/%E4%BD%A0%E5%A5%BD/%E6%90%9C%E7%B4%A2?q=%E6%95%B0%E6%8D%AE%E5%BA%93
/suche?q=M%C3%BCller+%26+S%C3%B6hne+%28GmbH%29
/%D0%BF%D0%BE%D0%B8%D1%81%D0%BA?q=%D0%B4%D0%BE%D0%BC+%22%D0%BC%D0%B8%D1%80%22
/search?q=%D9%85%D8%B1%D8%AD%D8%A8%D8%A7
/caf%E9?x=na%EFve
/api/data?token=dGhpcyBpcyBhIHRlc3QgdG9rZW4=
/api/data?sig=a%2Bb%2Fc%3D%3D&exp=1700000000
/assets/app.js?v=1.2.3-beta+build.5
/fonts/icons.eot?#iefix
/wiki/AT%26T_(company)
/wiki/Select_(SQL)
/wiki/Cat_(Unix)
/wiki/Talk:C_Sharp_(programming_language)
/book/Don't-stop-believin'
/recipe/mac-'n'-cheese
/shop/12'-x-8'-shed
/shop?size=6%27+2%22
/track?event=onClick&target=button%5Bname%3D%27buy%27%5D
/calc?expr=(1%2B2)*3
/regex?p=%5E%5Ba-z%5D%2B%24
/poll?t=1700000000.123&_=1
/diff?a=HEAD~1&b=HEAD%5E
/git/repo.git/info/refs?service=git-upload-pack
/.well-known/acme-challenge/abc-DEF
/npm/@scope%2fpackage
/maps/@51.5,-0.12,15z/data=!3m1!4b1
/p/1;jsessionid=ABC123
/forum/viewtopic.php?f=2&t=100&sid=abc#p5
/index.php?option=com_content&view=article&id=5:about-us&catid=2
/wp-admin/admin-ajax.php?action=heartbeat
/phpmyadmin/sql.php?db=shop&table=orders&pos=0
/solr/select?q=title:(foo+AND+bar)+OR+body:%22exact+phrase%22&fq=price:[10+TO+20]
/es/_search?q=status:200+AND+path:%2Fadmin*
/kibana/app?_g=(time:(from:now-15m,to:now))&_a=(query:(language:kuery,query:%27a:1%20or%20b:2%27))
/jira/issues/?jql=project%20%3D%20ABC%20AND%20status%20in%20(Open,%20%22In%20Progress%22)%20ORDER%20BY%20created%20DESC
/search?q=it%27s+5+o%27clock+somewhere
/search?q=Who%27s+who+%26+what%27s+what
/search?q=%3C3
/search?q=a+-%3E+b
/mail?to=a%40example.org&body=line+one%0D%0Aline+two
/note?text=todo%0A-+milk%0A-+bread
/feed?since=2024-01-01T00:00:00%2B02:00
""".strip().splitlines()


@pytest.mark.slow
def test_ordinary_requests_that_look_like_attacks_are_let_pass() -> None:
    detector = Detector.open()
    judged = detector.judge(
        ORDINARY, ["Mozilla/5.0"] * len(ORDINARY), [None] * len(ORDINARY), ["GET"] * len(ORDINARY)
    )
    flagged = {
        target: (round(score, 2), rules)
        for target, score, attack, rules in zip(
            ORDINARY, *(judged.column(n).to_pylist() for n in ("score", "attack", "rules")), strict=True
        )
        if attack is not None
    }
    assert flagged == {}


def test_ordinary_agents_and_referers_are_let_pass() -> None:
    detector = Detector.open()
    agents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) [FBAN/FBIOS;FBDV/iPhone12,1;FBSN/iOS]",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Dalvik/1.6.0 (Linux; U; Android 4.4.2; Vega Build/KOT49H)",
        "curl/8.5.0",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; .NET CLR 2.0.50727; InfoPath.1; MS-RTC LM 8)",
        "Wget/1.21.2 (linux-gnu)",
        "python-requests/2.31.0",
        "Apache-HttpClient/4.5.13 (Java/11.0.20)",
    ]
    referers = [
        "https://www.google.com/search?q=o%27brien+%26+sons",
        "https://www.bing.com/search?q=select+*+from+table&form=QBLH",
        "https://example.org/a/b?x=1;y=2#top",
        "android-app://com.google.android.gm/",
    ]
    pairs = [(a, "-") for a in agents] + [("Mozilla/5.0", r) for r in referers]
    judged = detector.judge(
        ["/"] * len(pairs), [a for a, _ in pairs], [r for _, r in pairs], ["GET"] * len(pairs)
    )
    assert judged.column("attack").to_pylist() == [None] * len(pairs)
