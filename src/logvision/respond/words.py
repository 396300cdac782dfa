"""The report's words in English and Chinese, and its numbers and times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Language(StrEnum):
    """Languages of a report."""

    EN = "en"
    ZH = "zh"


class Words:
    """One language. `Words(language)["key"]` is a text; a key that a table lacks is a bug and raises."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._at = list(Language).index(language)

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._at]

    def named(self, kind: str, value: str | None) -> str:
        """The name of a value of a closed set, e.g. ("attack", "sqli"); any other value as it is."""
        if value is None:
            return self["not_said"]
        found = _WORDS.get(f"{kind}.{value}")
        return value if found is None else found[self._at]

    def fill(self, key: str, **values: object) -> str:
        """A sentence with its blanks filled."""
        return self[key].format(**values)

    def summary(self, incident: Mapping[str, Any]) -> str:
        """What happened, in one sentence, of an incident document."""
        arguments = incident["summary_args"]
        if (
            self.language is Language.EN
            or f"summary.{incident['summary_key']}" not in _WORDS
            or not arguments
        ):
            return str(incident["summary"])
        return self.fill(
            f"summary.{incident['summary_key']}",
            actor=arguments["actor"],
            members=count(arguments["members"]),
            place=f"（{arguments['country']}）" if arguments["country"] else "",
            site=f"在 {arguments['site']} 上" if arguments["site"] else "",
            attacks="、".join(self.named("attack", a) for a in arguments["attacks"]),
            events=count(arguments["events"]),
            lasting=_lasting_zh(arguments["seconds"]),
            how=self[f"how.{arguments['outcome']}"],
        )

    def advice(self, incident: Mapping[str, Any]) -> list[str]:
        """What to do, most urgent first."""
        if self.language is Language.EN:
            return list(incident["advice"])
        pairs = zip(incident["advice_keys"], incident["advice"], strict=True)
        return [_WORDS[f"advice.{key}"][1] if f"advice.{key}" in _WORDS else said for key, said in pairs]


def count(value: int) -> str:
    """12,345"""
    return f"{value:,}"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent; what is something never reads as 0."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def size(value: float) -> str:
    """Bytes in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def moment(time: datetime | str | None) -> str:
    """A time in UTC to the second; of an incident document its ISO text."""
    if time is None:
        return "-"
    said = time if isinstance(time, str) else time.strftime("%Y-%m-%dT%H:%M:%S")
    return said[:19].replace("T", " ")


def _lasting_zh(seconds: int) -> str:
    for width, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= 2 * width:
            return f"{seconds // width} {name}"
    return f"{max(seconds, 1)} 秒"


_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Web access report", "网站访问报告"),
    "range": ("{first} to {last} UTC", "{first} 至 {last}（UTC）"),
    "range_none": ("no events", "没有事件"),
    "made": ("Made {time} UTC by LogVision {version}", "由 LogVision {version} 生成于 {time}（UTC）"),
    "asked": ("Limited to: {what}", "限定范围：{what}"),
    "from": ("from {time}", "{time} 起"),
    "to": ("until {time}", "至 {time}"),
    "site": ("site {name}", "站点 {name}"),
    "filter": ("filter {text}", "筛选 {text}"),
    "traffic": ("Traffic", "流量"),
    "requests": ("Requests", "请求数"),
    "success": ("Successful", "成功"),
    "client_errors": ("Client errors", "客户端错误"),
    "server_errors": ("Server errors", "服务器错误"),
    "visitors": ("Visitors", "访客"),
    "resources": ("Resources", "资源"),
    "bytes": ("Sent", "发送"),
    "attacks": ("Attack requests", "攻击请求"),
    "incidents": ("Incidents", "安全事件"),
    "lines": ("Log lines", "日志行数"),
    "account": (
        "{read} lines read: {events} events, {rejects} rejected, {filtered} filtered",
        "共读取 {read} 行：事件 {events}，拒收 {rejects}，过滤 {filtered}",
    ),
    "over_time": ("Requests over time", "请求随时间变化"),
    "step": ("one bar is {step}", "每柱 {step}"),
    "normal": ("Ordinary", "普通"),
    "abnormal": ("Attacks", "攻击"),
    "unit.s": ("{n} s", "{n} 秒"),
    "unit.min": ("{n} min", "{n} 分钟"),
    "unit.h": ("{n} h", "{n} 小时"),
    "unit.d": ("{n} d", "{n} 天"),
    "status": ("Status", "状态码"),
    "methods": ("Methods", "请求方法"),
    "routes": ("Routes", "路由"),
    "paths": ("Resources", "资源"),
    "clients": ("Addresses", "地址"),
    "agents": ("Browsers and agents", "浏览器与客户端"),
    "bots": ("Robots", "机器人"),
    "countries": ("Countries", "国家和地区"),
    "sites": ("Sites", "站点"),
    "referers": ("Referers", "来源页面"),
    "classes": ("Attacks by class", "攻击类型"),
    "outcomes": ("How they went", "攻击结果"),
    "attackers": ("Attacking addresses", "攻击地址"),
    "targets": ("Attacked resources", "受攻击的资源"),
    "value": ("Value", "值"),
    "share": ("Share", "占比"),
    "other": ("all others", "其余"),
    "not_said": ("not said", "未记录"),
    "none": ("none", "无"),
    "no_incidents": ("No incidents.", "没有安全事件。"),
    "incidents_shown": ("the {shown} gravest of {all}", "共 {all} 起，列出最严重的 {shown} 起"),
    "advice": ("What to do", "处置建议"),
    "evidence": ("Evidence", "证据"),
    "evidence_shown": ("{shown} of {all} requests", "{all} 个请求中的 {shown} 个"),
    "time": ("Time (UTC)", "时间（UTC）"),
    "request": ("Request", "请求"),
    "answer": ("Answer", "应答"),
    "probability": ("Probability", "概率"),
    "rules": ("Rules", "规则"),
    "decided": ("Decision: {status}", "处理状态：{status}"),
    "rejects": ("Lines that are no events", "未成为事件的行"),
    "no_rejects": ("Every line was understood.", "每一行都已识别。"),
    "reason": ("Reason", "原因"),
    "sample": ("The newest of them", "最近的几行"),
    "line": ("Line", "原文"),
    "approximate": (
        "Counts of rare values may be a little low: of each hour the largest values are kept.",
        "少见值的计数可能略低：每小时只保留最大的若干值。",
    ),
    "attributions": ("Data", "数据来源"),
    "hostile": (
        "Text from logs stands here as it was logged. Do not open addresses that it names.",
        "日志文本按原样显示，请勿打开其中的地址。",
    ),
    "severity.info": ("info", "提示"),
    "severity.low": ("low", "低"),
    "severity.medium": ("medium", "中"),
    "severity.high": ("high", "高"),
    "severity.critical": ("critical", "严重"),
    "stage.recon": ("recon", "侦察"),
    "stage.probe": ("probe", "探测"),
    "stage.exploit": ("exploit", "利用"),
    "stage.foothold": ("foothold", "立足"),
    "outcome.blocked": ("blocked", "已拦截"),
    "outcome.missed": ("missed", "未命中"),
    "outcome.worked": ("likely worked", "可能已成功"),
    "outcome.unknown": ("unknown", "未知"),
    "case.open": ("open", "未处理"),
    "case.acknowledged": ("acknowledged", "处理中"),
    "case.closed": ("closed", "已关闭"),
    "case.false_alarm": ("false alarm", "误报"),
    "reason.empty": ("empty", "空行"),
    "reason.binary": ("binary, not a log line", "二进制内容，不是日志行"),
    "reason.too_long": ("too long", "过长"),
    "reason.no_format": ("fits no format", "不符合任何格式"),
    "reason.bad_time": ("impossible time", "时间不可能"),
    "reason.bad_field": ("impossible field", "字段不可能"),
    "reason.bad_json": ("broken JSON", "JSON 损坏"),
    "reason.directive": ("header or comment", "表头或注释"),
    "reason.excluded": ("excluded by the operator", "被运维人员排除"),
    "attack.sqli": ("SQL injection", "SQL 注入"),
    "attack.nosqli": ("NoSQL injection", "NoSQL 注入"),
    "attack.xss": ("Cross-site scripting", "跨站脚本"),
    "attack.traversal": ("Path traversal", "路径穿越"),
    "attack.rfi": ("Remote file inclusion", "远程文件包含"),
    "attack.rce": ("Command injection", "命令注入"),
    "attack.php": ("PHP injection", "PHP 注入"),
    "attack.java": ("Java injection", "Java 注入"),
    "attack.code": ("Code injection", "代码注入"),
    "attack.ssti": ("Template injection", "模板注入"),
    "attack.deserialisation": ("Deserialisation", "反序列化"),
    "attack.log4shell": ("Log4Shell", "Log4Shell 漏洞"),
    "attack.ssrf": ("Server-side request forgery", "服务端请求伪造"),
    "attack.xxe": ("XML external entities", "XML 外部实体"),
    "attack.ldap": ("LDAP injection", "LDAP 注入"),
    "attack.ssi": ("Server-side includes", "服务端包含"),
    "attack.crlf": ("Header injection", "响应头注入"),
    "attack.redirect": ("Open redirect", "开放重定向"),
    "attack.smuggling": ("Request smuggling", "请求走私"),
    "attack.prototype": ("Prototype pollution", "原型污染"),
    "attack.graphql": ("GraphQL abuse", "GraphQL 滥用"),
    "attack.webshell": ("Web shell", "网页后门"),
    "attack.sensitive": ("Secret files", "敏感文件"),
    "attack.probe": ("Probing", "探测"),
    "attack.cve": ("Known vulnerability", "已知漏洞"),
    "attack.scanner": ("Scanner", "扫描器"),
    "attack.protocol": ("Protocol abuse", "协议滥用"),
    "attack.brute_force": ("Password guessing", "密码猜测"),
    "attack.stuffing": ("Stolen passwords", "撞库"),
    "attack.enumeration": ("Enumeration", "枚举"),
    "attack.crawl": ("Mass crawling", "过度抓取"),
    "attack.flood": ("Flood", "洪泛"),
    "attack.fake_bot": ("Fake robot", "伪装机器人"),
    "attack.anomaly": ("Unusual traffic", "流量异常"),
    "summary.actor": (
        "",
        "{actor}{place}{site}尝试{attacks}：{lasting}内 {events} 个请求；{how}。",
    ),
    "summary.campaign": (
        "",
        "{actor} 的 {members} 个地址{place}{site}协同尝试{attacks}：{lasting}内 {events} 个请求；{how}。",
    ),
    "how.worked": ("", "至少有一次可能已成功"),
    "how.unknown": ("", "是否成功无法判断"),
    "how.missed": ("", "所求之物均不存在"),
    "how.blocked": ("", "所有尝试均被拒绝"),
    "advice.read_answers": ("", "首先查看服务器对标记为“可能已成功”的请求所作的应答。"),
    "advice.look_for_files": ("", "检查自首个请求以来网站目录中新出现的文件，以及 Web 服务器用户的进程。"),
    "advice.change_secrets": ("", "将该文件移出网站目录，并更换其中的所有密钥和密码。"),
    "advice.check_database": ("", "在数据库日志中查找当时的查询，并以绑定变量的方式传递该参数。"),
    "advice.reset_accounts": ("", "找出从这些地址登录的账号，重置其密码并终止其会话。"),
    "advice.limit_sign_in": ("", "按账号和地址限制登录尝试次数，并要求第二因素认证。"),
    "advice.limit_rate": ("", "在 Web 服务器或其前端按地址限制请求速率。"),
    "advice.update": ("", "确认受攻击的软件已更新到没有此漏洞的版本。"),
    "advice.block_network": ("", "如果没有访客来自该网段，将其封禁。"),
    "advice.block_actor": ("", "如果该地址与您无关，将其封禁数日。"),
    "advice.nothing": ("", "无需处理：站点上没有对方所求之物。"),
}
