"""Words and their weights for each agent: stems (`secur`) and whole words (`=ui`).

A stem with a space is a pair of words, of which the second may be longer. Weights: 3 names the
subject itself, 2 is typical of it, 1 often occurs with it, less is a hint.
"""

from collections.abc import Iterator, Mapping

ERRORS, TESTS, SPEED, ENGINEER = (
    "error-handler",
    "qa-engineer",
    "performance-agent",
    "swebok-engineer",
)
STRUCTURE, SECURITY, COMPLIANCE = "architect-agent", "security-agent", "compliance-agent"
TEST_FIXER, OBSIDIAN, SCREENS = "test-fixer-agent", "obsidian-test-agent", "ui-test-expert"
RELEASE, STATE, META = "release-agent", "state-persistence-agent", "meta-agent"
FACTORY, PRODUCT, BUSINESS = "agent-factory", "product-manager", "babok-agent"
USERS, STABILITY, MONITORING = "ux-researcher", "technical-stabilization", "monitoring"
ROLLBACK, ALERTS, ORCHESTRATOR = "rollback", "alerts", "parallel-execution-orchestrator"

FAULT, UNSTEADY, SEVERE, LIVE = "fault", "unsteady", "severe", "live"
SIZE, WIDE, SMALL, DOCS, VAGUE = "size", "wide", "small", "docs", "vague"
DOMAIN = "domain"

_TABLE = {
    ERRORS: "error 1.5, bug 2, exception 2, crash 2.5, traceback 3, stacktrace 3, "
    "stack trace 3, fail 2, =broken 2, break 1, wrong 1.5, incorrect 2, defect 2, "
    "segfault 3, typeerror 3, valueerror 3, keyerror 3, panic 2, root caus 2, nullpointer 3, "
    "hang 1.5, freez 1.5, deadlock 2, corrupt 1.5, timeout 1, timing out 1.5, logout 1, "
    "random 0.5, undefined 1, =500 2, =502 2, =503 2, =504 2, 5xx 2, 4xx 1",
    TESTS: "=test 2, =tests 2, testing 2, tested 2, testcase 2, untest 2.5, coverage 2.5, "
    "quality 2, =qa 3, regression 1, =unit 0.5, edge cas 2, acceptance 1, =e2e 1, "
    "property-based 2, mutation 1, pytest 1.5, =jest 1.5, unittest 1.5, "
    "correctness 2",
    TEST_FIXER: "flaky 3, flakiness 3, test suite 0.5, intermittent 1, =ci 1.5",
    SPEED: "slow 2.5, =fast 1.5, faster 2.5, fast 1.5, =speed 2, perform 2.5, latenc 2.5, "
    "throughput 2.5, =memory 1.5, =cpu 2, profil 2, optimi 2, benchmark 2, bottleneck 2.5, "
    "scalab 1.5, =n+1 2, load tim 2, response tim 2, memory leak 1.5, under load 1, "
    "respons 0.3, =takes 1, seconds 1, minutes 1, =ms 1.5, =mb 1, =gb 1, smaller 1.5, shrink 2, "
    "bloat 2, footprint 2, bundle size 1.5, image size 1.5, binary size 1.5, below 0.7, under 0.3",
    SECURITY: "secur 3, vulnerab 3, injection 3, sql inject 1, =xss 3, =csrf 3, =ssrf 3, "
    "password 1, secret 2.5, credential 2.5, =cve 3, exploit 2.5, owasp 3, sanitis 1.5, "
    "sanitiz 1.5, attack 2, pentest 3, penetration 3, threat 2, harden 2, malicious 2, "
    "authent 1.2, authori 1.2, login 1, payment 0.8, =api 0.4, permission 1, encrypt 1.5, "
    "advisor 1.5, =token 0.8, sign-up 0.5, =admin 0.5, upload 0.7, data leak 2, =oauth 1.5, "
    "=sso 1.5, api key 2.5, private key 2.5, access key 2.5, aws key 2.5, leaked 1.5, "
    "api token 2.5, access token 2.5, rotat 0.7, revok 1, access right 2.5, access rule 2.5, "
    "access control 2.5, access check 2, password hash 2.5, hashing 1, who may 1.5, who can 1",
    COMPLIANCE: "licen 3, =gdpr 3, =dsgvo 3, complian 3, privacy 2.5, personal data 3, =pii 3, "
    "retention 2, audit trail 3, hipaa 3, =pci 2, =sox 2, legal 2, regulat 2, consent 1.5, "
    "copyright 2.5, =gpl 2.5, =agpl 2.5, open-sourc 1.5",
    STRUCTURE: "architect 3, refactor 1.5, restructur 1.5, decoupl 2, modular 2, "
    "microservice 1.2, monolith 1.2, circular 1.5, layering 2, structure 1, coupling 2, "
    "technical debt 2, compar 1, recommend 1.5, alternativ 1, trade-off 2",
    STATE: "migration 1.8, migrat 0.8, schema 2, database 1, =db 1, =sql 1, =table 1, "
    "tables 1, column 1.5, persist 2, =index 1.8, indexes 1.8, indices 1.8, backup 1.5, "
    "postgres 1, sqlite 1, redis 1, alembic 2, stored state 3, data model 1.5, data loss 1, "
    "backfill 2",
    SCREENS: "=ui 2, =gui 2, screen 1.5, playwright 2.5, cypress 2.5, accessib 2.5, =a11y 2.5, "
    "visual 1, keyboard 1.5, =browser 1, screenshot 2, responsive 1, =button 1, dialog 1.5, "
    "=form 0.7, dark mode 1, =layout 1, wcag 3, user interface 2, click 0.7, firefox 1.5, "
    "=safari 1.5, =chrome 1.2, viewport 1.5",
    OBSIDIAN: "obsidian 3, vault 2.5, =plugin 0.7",
    RELEASE: "release 2, =bump 1.2, changelog 2.5, publish 2, version 1, semver 2, =ship 1, "
    "release not 1, launch 0.7, =deploy 0.4, deploy 0.4",
    META: "task breakdown 3, work breakdown 3, =decompose 2, plan the 1, team of 1, =agents 0.5",
    FACTORY: "agent definit 4, agent def 3, new agent 3, an agent 2.5, subagent 3, agent for 2",
    ORCHESTRATOR: "parallel run 3, parallel exec 3, =slots 2, critical path 2, makespan 3",
    PRODUCT: "requirement 2.5, roadmap 3, user stor 3, =mvp 2, prioriti 1, product 0.7, "
    "feature 0.7, acceptance crit 2, scope 1, market 1",
    BUSINESS: "business 2.5, process 1.2, stakeholder 3, workflow 1.2, domain model 1, "
    "approval 1.2",
    DOMAIN: "billing 1.5, invoic 1.2, accounting 2, order 0.4, refund 1, dunning 1, tax 1, "
    "booking 1, subscription 1, contract 0.7",
    USERS: "usab 3, =ux 3, user experience 3, onboarding 2, =users 1, customer 0.6, "
    "dashboard 1.2, newcomer 1, profile page 1, =page 0.5, =pages 0.3, =flow 1, wording 1, "
    "=form 0.7, tour 1, accessib 1, mobile 1, =shop 0.7, calendar 0.5, wizard 1.2, "
    "interview 2, =settings 0.3, =screen 0.5, =persona 2, messag 0.5, notificat 0.5, "
    "cart 0.5, profile 0.3",
    MONITORING: "monitor 2.5, logging 2, health check 2.5, observab 3, telemetry 3, "
    "metrics 2.5, tracing 1.5, prometheus 2.5, opentelemetry 3, grafana 2, structured log 1",
    ALERTS: "alert 3, pager 2.5, on-call 2, oncall 2, threshold 0.7",
    ROLLBACK: "rollback 3, roll back 3, =revert 2.5, way back 2, =undo 1, feature flag 0.7",
    STABILITY: "stabilis 2.5, stabiliz 2.5, stop the bleed 3, mitigat 2",
    FAULT: "fail 2, crash 2, error 1.5, =broken 2, bug 1.5, slow 0.8, hang 1, wrong 1.5, "
    "timing out 2, timeout 1.5, timed out 2, cannot 1.5, can't 1.5, doesn't 1.5, "
    "does not 1.5, do not work 2, not work 2, no longer 1.5, =down 1.5, leak 1.2, vanish 2, "
    "losing 2, lose 1, =500 1.5, =502 1.5, =503 1.5, flaky 1.5, =red 0.7, exception 1.5, "
    "traceback 2, isn't 1, =stuck 1.5, missing 0.7, incorrect 1.5, weird 1, random 0.7, "
    "unsteady 1.5, typeerror 2, corrupt 1.5, charged twice 2, billed twice 2, =504 1.5, 5xx 1.5, "
    "since we 1, white page 1.5, blank page 1.5, white screen 1.5, blank screen 1.5",
    UNSTEADY: "fail 2, flaky 2, =red 1.5, =green 1.5, =broken 1.5, unsteady 2, "
    "intermittent 1.5, unstable 2, passing 1, =pass 1, random 0.7",
    SEVERE: "emergenc 3, outage 3, =sev1 3, =sev-1 3, =sev0 3, =sev2 2, =p0 3, =p1 2, "
    "incident 1.5, urgent 1.5, immediately 1, =asap 1, hotfix 1.5, on fire 3, is down 2.5, "
    "are down 2.5, went down 2.5, data loss 1.5, losing data 2, losing money 2, "
    "losing order 2, right now 1.5, stop it 0.5, all hands 1, critical 1, production is 0.5, "
    "for everyone 2.5, for everybody 2.5, users can't 2, users cannot 2, customers can't 2, "
    "customers cannot 2, nobody can 2, all customers 1.5, all users 1.5, charged twice 1.5, "
    "billed twice 1.5, this morning 1, everyone get 2, everyone see 2, everybody get 2",
    LIVE: "production 1, =prod 1, =live 1, deploy 0.5, customer 0.7, everybody 0.7, "
    "everyone 0.7, all users 1, all customers 1, all requests 1, minutes ago 1, "
    "hour ago 1, hours ago 1, site 0.3",
    SIZE: "dashboard 1.5, =system 1.5, platform 2, =shop 1.2, portal 1.5, =service 1, "
    "=app 1.2, application 1.2, login 1.5, sign-up 1, payment 1, checkout 1, catalogue 0.7, "
    "subscription 1, billing 1, customer 0.7, =users 0.7, =user 0.7, feature 1, =flow 1, "
    "onboarding 1.2, authent 1, =rest 0.7, =api 0.8, third part 0.7, tenan 2, notificat 0.8, "
    "chat 1, calendar 0.7, admin 0.7, profile page 0.8, website 1.5, marketplace 2, "
    "workflow 1, integrat 0.7, engine 0.7, editor 1, search 0.5, real-time 1, realtime 1, "
    "collaborat 1, moderation 0.5, reset 0.3, role 0.5, permission 0.7, backend 1, "
    "frontend 1, end-to-end 1, from scratch 1.5, mobile 0.7, where 0.3, e-mail 0.3, "
    "verification 0.3, report 0.2, reminder 0.5, wizard 1, import 0.3, =sso 1.5, "
    "single sign-on 1.5",
    WIDE: "whole 1.5, entire 1.5, everywhere 2, across 1, throughout 1.5, =all 0.7, "
    "code base 1.5, codebase 1.5, =every 0.5, complete 0.5, large 0.5, big 0.5, in all 1.5, "
    "in every 1.5, all modul 1, all file 1",
    SMALL: "typo 2, small 0.5, minor 1, =just 0.5, simple 0.7, quick 0.5, =single 0.5, "
    "one-line 2, tiny 1.5, trivial 1.5, hello world 2, =flag 0.7, =script 0.5",
    DOCS: "typo 2, spelling 2, grammar 1.5, =readme 2, docs 2, documentation 2, tutorial 2, "
    "=guide 2, manual 1, runbook 2.5, wiki 1.5, docstring 2, =links 1, playbook 2, "
    "=comments 1, =faq 1.5, handbook 2, article 1.5, =adr 1.5, post-mortem 2.5, postmortem 2.5, "
    "retrospective 2, fire drill 2",
    VAGUE: "something 1.5, somehow 1, strange 1.5, weird 1.5, odd 1, is wrong 1, what is 0.5, "
    "mysterious 1, nobody know 1, behav 0.5",
}  # fmt: skip


def _entries(listed: str) -> Iterator[tuple[str, float]]:
    for entry in listed.split(","):
        stem, _, weight = entry.strip().rpartition(" ")
        yield stem, float(weight)


Weights = Mapping[str, tuple[tuple[str, float], ...]]


def _index() -> tuple[Weights, Weights]:
    stems: dict[str, list[tuple[str, float]]] = {}
    pairs: dict[str, list[tuple[str, float]]] = {}
    for topic, listed in _TABLE.items():
        for stem, weight in _entries(listed):
            (pairs if " " in stem else stems).setdefault(stem, []).append((topic, weight))
    return (
        {stem: tuple(found) for stem, found in stems.items()},
        {stem: tuple(found) for stem, found in pairs.items()},
    )


_STEMS, _PAIRS = _index()
_SHORTEST_STEM = 3
_LONGEST_WORD = 40


def topics_of(word: str, following: str) -> dict[str, float]:
    """Return the topics of a word and of its pair with the next one; the heaviest stem counts."""
    found: dict[str, float] = {}
    for part in {word, *word.split("-")}:
        _collect(found, _STEMS.get(f"={part}", ()))
        _collect(found, _STEMS.get(f"={part.removesuffix('s')}", ()))
        for end in range(_SHORTEST_STEM, min(len(part), _LONGEST_WORD) + 1):
            _collect(found, _STEMS.get(part[:end], ()))
    pair = f"{word} {following}"
    for end in range(len(word) + 2, min(len(pair), 2 * _LONGEST_WORD) + 1):
        _collect(found, _PAIRS.get(pair[:end], ()))
    return found


def _collect(found: dict[str, float], entries: tuple[tuple[str, float], ...]) -> None:
    for topic, weight in entries:
        found[topic] = max(found.get(topic, 0.0), weight)
