// Generated from openapi.json by `npm run openapi`. Do not edit.
export interface paths {
    "/api/actor/{client_ip}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Actor
         * @description What is known of one client address.
         */
        get: operations["actor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backtest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Backtest
         * @description The newest backtest. One runs on its own whenever rules change.
         */
        get: operations["backtest"];
        put?: never;
        /**
         * Start
         * @description Try a change over the newest events, in the background; the report comes at the same address.
         */
        post: operations["start_backtest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events
         * @description Events, newest first.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Event
         * @description One event, by "<source>@<position>".
         */
        get: operations["event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exceptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Exceptions
         * @description Exceptions from rules.
         */
        get: operations["exceptions"];
        put?: never;
        /**
         * Add
         * @description Add an exception; a running engine takes it up within a second.
         */
        post: operations["add_exception"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exceptions/{exception_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Exception
         * @description One exception, and the incidents that there would be without it.
         */
        get: operations["exception"];
        put?: never;
        post?: never;
        /**
         * End
         * @description Take an exception back; it is kept with the others that ended.
         */
        delete: operations["end_exception"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain Event
         * @description Why an event was judged as it was.
         */
        get: operations["explain_event"];
        put?: never;
        /**
         * Explain Line
         * @description How a raw line would be judged.
         */
        post: operations["explain_line"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/export/{what}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download
         * @description A download of events or incidents: JSON lines, CSV or Parquet.
         */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health
         * @description How the process is.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Incidents
         * @description Incidents of the range, the site and the client that a filter names, page by page.
         */
        get: operations["incidents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/incidents/{incident_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Incident
         * @description One incident with its evidence.
         */
        get: operations["incident"];
        put?: never;
        /**
         * Decide
         * @description Set status or note. 409: somebody else decided in between.
         */
        post: operations["decide"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Kept
         * @description What people have labelled.
         */
        get: operations["labels"];
        put?: never;
        /**
         * Add
         * @description Label an event, or all evidence of an incident; a later label of an event replaces an earlier one.
         */
        post: operations["add_label"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Login
         * @description Open a session. 401: wrong password; 429: too many wrong ones.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Logout
         * @description End the session of this browser.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/meta": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Meta
         * @description What the page needs to know before anything else.
         */
        get: operations["meta"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/model": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Model
         * @description The classifier in use, and what came of the newest learning from labels.
         */
        get: operations["model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/model/learn": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Learn
         * @description Correct the classifier by the labels, and use the correction if it is measurably better; seconds.
         */
        post: operations["learn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Queue
         * @description The events that a label would teach most: rules say one thing, the classifier another.
         */
        get: operations["queue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/rejects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rejects
         * @description Lines that are no events, by reason and newest first.
         */
        get: operations["rejects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Series
         * @description Requests over time on a grid without gaps, of at most `points` steps.
         */
        get: operations["series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sources
         * @description State of every source.
         */
        get: operations["sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live Stream
         * @description Server-sent events; resumes by Last-Event-ID.
         */
        get: operations["stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/top/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Top
         * @description The largest values of one dimension.
         */
        get: operations["top"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/totals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Totals
         * @description Counts of the question.
         */
        get: operations["totals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is Live
         * @description The process answers.
         */
        get: operations["is_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics
         * @description Counters of this process, sources and checks for Prometheus.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is Ready
         * @description Nothing is missing; 503 says what is. The page works without it, and says so too.
         */
        get: operations["is_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * ActorDocument
         * @description What is known of one client address, with its incidents.
         */
        ActorDocument: {
            /** Agents */
            agents: components["schemas"]["Row"][];
            /** @default events */
            answered_from?: components["schemas"]["AnsweredFrom"];
            /** Attacks */
            attacks: number;
            /** Bytes */
            bytes: number;
            /** Client Ip */
            client_ip: string;
            /** Countries */
            countries: string[];
            /** Events */
            events: components["schemas"]["Event"][];
            /** First */
            first: string | null;
            /** Incidents */
            incidents: components["schemas"]["IncidentDocument"][];
            /** Last */
            last: string | null;
            /** Networks */
            networks: string[];
            /** Requests */
            requests: number;
            /** Routes */
            routes: components["schemas"]["Row"][];
            /** Statuses */
            statuses: components["schemas"]["Row"][];
        };
        /**
         * AnsweredFrom
         * @description Where the counts come from.
         * @enum {string}
         */
        AnsweredFrom: "rollups" | "events";
        /**
         * Attack
         * @description What an attack tries to do. The closed set of EVENT.attack and of alert classes.
         * @enum {string}
         */
        Attack: "sqli" | "nosqli" | "xss" | "traversal" | "rfi" | "rce" | "php" | "java" | "code" | "ssti" | "deserialisation" | "log4shell" | "ssrf" | "xxe" | "ldap" | "ssi" | "crlf" | "redirect" | "smuggling" | "prototype" | "graphql" | "webshell" | "sensitive" | "probe" | "cve" | "scanner" | "protocol" | "brute_force" | "stuffing" | "enumeration" | "crawl" | "flood" | "fake_bot" | "anomaly";
        /**
         * Attribution
         * @description Credit that a data licence asks for.
         */
        Attribution: {
            /** Text */
            text: string;
            /** Url */
            url: string;
        };
        /**
         * Backtest
         * @description The newest report and what is going on.
         */
        Backtest: {
            /** Problem */
            problem: string | null;
            report: components["schemas"]["BacktestReport"] | null;
            /**
             * State
             * @enum {string}
             */
            state: "idle" | "running" | "failed";
        };
        /**
         * BacktestPart
         * @description What comes, or what goes.
         */
        BacktestPart: {
            /** Classes */
            classes: {
                [key: string]: number;
            };
            /** Clients */
            clients: number;
            /** Events */
            events: number;
            /** Incident Count */
            incident_count: number;
            /** Incidents */
            incidents: components["schemas"]["IncidentSummary"][];
            /** Networks */
            networks: number;
            /** Ordinary Clients */
            ordinary_clients: number;
            /** Requests */
            requests: number;
            /** Route Count */
            route_count: number;
            /** Routes */
            routes: {
                [key: string]: number;
            };
            /** Rules */
            rules: {
                [key: string]: number;
            };
            /** Samples */
            samples: components["schemas"]["BacktestSample"][];
        };
        /**
         * BacktestReport
         * @description What a change would do, or did.
         */
        BacktestReport: {
            appearing: components["schemas"]["BacktestPart"];
            /** Attacks After */
            attacks_after: number;
            /** Attacks Before */
            attacks_before: number;
            disappearing: components["schemas"]["BacktestPart"];
            /** Events */
            events: number;
            /** First */
            first: string | null;
            /** Incidents After */
            incidents_after: number;
            /** Incidents Before */
            incidents_before: number;
            /** Last */
            last: string | null;
            /**
             * Made
             * Format: date-time
             */
            made: string;
            /** Reclassified */
            reclassified: number;
            /** Whole */
            whole: boolean;
            /** Why */
            why: string;
        };
        /**
         * BacktestSample
         * @description One event that differs. Text is as logged: hostile.
         */
        BacktestSample: {
            attack: components["schemas"]["Attack"];
            /** Client Ip */
            client_ip: string | null;
            /** Id */
            id: string;
            /** Method */
            method: string | null;
            /** Route */
            route: string | null;
            /** Rules */
            rules: string[];
            /** Score */
            score: number;
            /** Site */
            site: string | null;
            /** Status */
            status: number | null;
            /** Target */
            target: string | null;
            /**
             * Time
             * Format: date-time
             */
            time: string;
        };
        /**
         * By
         * @description What a series is split by.
         * @enum {string}
         */
        By: "all" | "attack" | "status" | "kind";
        /**
         * Check
         * @description One thing that must be well.
         */
        Check: {
            /** Detail */
            detail: string;
            /** Name */
            name: string;
            /** Ok */
            ok: boolean;
        };
        /**
         * Decide
         * @description What to set on an incident; `revision` is the one that the decision was made on.
         */
        Decide: {
            /** Note */
            note?: string | null;
            /** Revision */
            revision: number;
            status?: components["schemas"]["Status"] | null;
        };
        /**
         * Decision
         * @description One entry of an incident's history.
         */
        Decision: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Author */
            author: string;
            /** Note */
            note: string;
            status: components["schemas"]["Status"];
        };
        /**
         * Dimension
         * @description What a top list counts by: columns of EVENT, and `asn` and `rules` by single value.
         * @enum {string}
         */
        Dimension: "path" | "route" | "client_ip" | "status" | "method" | "protocol" | "site" | "country" | "network" | "asn" | "agent" | "os" | "device" | "bot" | "referer" | "user_agent" | "attack" | "kind" | "source" | "rules" | "outcome" | "user";
        /**
         * Done
         * @description It is done.
         */
        Done: {
            /**
             * Ok
             * @default true
             * @constant
             */
            ok?: true;
        };
        /**
         * Doubt
         * @description An event about which rules and classifier disagree.
         */
        Doubt: {
            /** Apart */
            apart: number;
            event: components["schemas"]["Event"];
            side: components["schemas"]["Side"];
        };
        /**
         * Doubts
         * @description Events about which rules and classifier disagree.
         */
        Doubts: {
            /** Rows */
            rows: components["schemas"]["Doubt"][];
        };
        /**
         * Event
         * @description One event: the columns of EVENT, with null as there. All text is as logged: hostile.
         */
        Event: {
            /** Agent */
            agent: string | null;
            /** Asn */
            asn: number | null;
            attack: components["schemas"]["Attack"] | null;
            /** Bot */
            bot: string | null;
            /** Bytes */
            bytes: number | null;
            /** Client Ip */
            client_ip: string | null;
            /** Country */
            country: string | null;
            /** Device */
            device: string | null;
            /** Duration Us */
            duration_us: number | null;
            /** Id */
            id: string;
            /** Kind */
            kind: string | null;
            /** Method */
            method: string | null;
            /** Network */
            network: string | null;
            /** Os */
            os: string | null;
            outcome: components["schemas"]["Outcome"] | null;
            /** Path */
            path: string | null;
            /** Peer Ip */
            peer_ip: string | null;
            /** Position */
            position: number;
            /** Protocol */
            protocol: string | null;
            /** Query */
            query: string | null;
            /** Referer */
            referer: string | null;
            /** Route */
            route: string | null;
            /** Rules */
            rules: string[];
            /** Score */
            score: number;
            /** Site */
            site: string | null;
            /** Source */
            source: string;
            /** Status */
            status: number | null;
            /** Target */
            target: string | null;
            /**
             * Time
             * Format: date-time
             */
            time: string;
            /** User */
            user: string | null;
            /** User Agent */
            user_agent: string | null;
        };
        /**
         * EventPage
         * @description Events, newest first, and where the next page starts; null: the end.
         */
        EventPage: {
            /** @default events */
            answered_from?: components["schemas"]["AnsweredFrom"];
            /** Next */
            next: string | null;
            /** Rows */
            rows: components["schemas"]["Event"][];
        };
        /**
         * EvidenceRow
         * @description One event that proves an incident. Text is as logged: hostile.
         */
        EvidenceRow: {
            attack: components["schemas"]["Attack"] | null;
            /** Bytes */
            bytes: number | null;
            /** Id */
            id: string;
            /** Method */
            method: string | null;
            outcome: components["schemas"]["Outcome"] | null;
            /** Position */
            position: number;
            /** Referer */
            referer: string | null;
            /** Rules */
            rules: string[];
            /** Score */
            score: number;
            /** Source */
            source: string;
            /** Status */
            status: number | null;
            /** Target */
            target: string | null;
            /**
             * Time
             * Format: date-time
             */
            time: string;
            /** User Agent */
            user_agent: string | null;
        };
        /**
         * ExceptionDetail
         * @description An exception with the incidents that there would be without it.
         */
        ExceptionDetail: {
            /**
             * Author
             * @default operator
             */
            author?: string;
            /**
             * Created
             * Format: date-time
             */
            created: string;
            /** Ended */
            ended: string | null;
            /** Ended By */
            ended_by: string | null;
            /** Expires */
            expires?: string | null;
            /** Id */
            id: string;
            /** In Force */
            in_force: boolean;
            /** Incidents */
            incidents: components["schemas"]["IncidentSummary"][] | null;
            /** Last Silenced */
            last_silenced: string | null;
            /** Network */
            network?: string | null;
            /** Parameter */
            parameter?: string | null;
            /** Reason */
            reason: string;
            /** Route */
            route?: string | null;
            /** Rule */
            rule?: string | null;
            /** Shape */
            shape?: string | null;
            /** Silenced */
            silenced: number;
            /** Site */
            site?: string | null;
        };
        /**
         * ExceptionDocument
         * @description An exception and what it has silenced, as far as the lake still keeps it.
         */
        ExceptionDocument: {
            /**
             * Author
             * @default operator
             */
            author?: string;
            /**
             * Created
             * Format: date-time
             */
            created: string;
            /** Ended */
            ended: string | null;
            /** Ended By */
            ended_by: string | null;
            /** Expires */
            expires?: string | null;
            /** Id */
            id: string;
            /** In Force */
            in_force: boolean;
            /** Last Silenced */
            last_silenced: string | null;
            /** Network */
            network?: string | null;
            /** Parameter */
            parameter?: string | null;
            /** Reason */
            reason: string;
            /** Route */
            route?: string | null;
            /** Rule */
            rule?: string | null;
            /** Shape */
            shape?: string | null;
            /** Silenced */
            silenced: number;
            /** Site */
            site?: string | null;
        };
        /**
         * Exceptions
         * @description Exceptions, the newest first.
         */
        Exceptions: {
            /** Rows */
            rows: components["schemas"]["ExceptionDocument"][];
        };
        /**
         * ExplainLine
         * @description A raw log line to explain.
         */
        ExplainLine: {
            /** Line */
            line: string;
        };
        /**
         * Fault
         * @description Why a request was not answered: one sentence.
         */
        Fault: {
            /** Detail */
            detail: string;
        };
        /**
         * Format
         * @description How an export is written.
         * @enum {string}
         */
        Format: "json" | "csv" | "parquet";
        /** HTTPValidationError */
        HTTPValidationError: {
            /** Detail */
            detail?: components["schemas"]["ValidationError"][];
        };
        /**
         * Health
         * @description How the process is.
         */
        Health: {
            /** Checks */
            checks: components["schemas"]["Check"][];
            /** Lake Bytes */
            lake_bytes: number;
            /** Memory Bytes */
            memory_bytes: number;
            /** Ok */
            ok: boolean;
            /** Segments */
            segments: number;
            /** Uptime S */
            uptime_s: number;
        };
        /**
         * IncidentDocument
         * @description An incident and what people decided about it.
         */
        IncidentDocument: {
            /** Active */
            active: boolean;
            /** Actor */
            actor: string;
            /** Actor Kind */
            actor_kind: string;
            /** Advice */
            advice: string[];
            /** Advice Keys */
            advice_keys: string[];
            /** Agents */
            agents: string[];
            /** Alerts */
            alerts: number;
            /** Attacks */
            attacks: {
                [key: string]: number;
            };
            /** Countries */
            countries: string[];
            /** Events */
            events: number;
            /** Evidence */
            evidence: components["schemas"]["EvidenceRow"][];
            /**
             * First Seen
             * Format: date-time
             */
            first_seen: string;
            /** History */
            history: components["schemas"]["Decision"][];
            /** Id */
            id: string;
            /**
             * Last Seen
             * Format: date-time
             */
            last_seen: string;
            /** Member Count */
            member_count: number;
            /** Members */
            members: string[];
            /** Note */
            note: string;
            outcome: components["schemas"]["Outcome"];
            /** Part Of */
            part_of: string | null;
            /** Revision */
            revision: number;
            /** Routes */
            routes: string[];
            /** Rules */
            rules: string[];
            /** Score */
            score: number;
            severity: components["schemas"]["Severity"];
            /** Site */
            site: string | null;
            stage: components["schemas"]["Stage"];
            status: components["schemas"]["Status"];
            /** Summary */
            summary: string;
            /** Summary Args */
            summary_args: {
                [key: string]: unknown;
            };
            /** Summary Key */
            summary_key: string;
        };
        /**
         * IncidentPage
         * @description Incidents, newest `last_seen` first, and where the next page starts; null: the end.
         */
        IncidentPage: {
            /** Next */
            next: string | null;
            /** Rows */
            rows: components["schemas"]["IncidentDocument"][];
        };
        /**
         * IncidentSummary
         * @description An incident in a list of those that there would or would not be. Text is as logged: hostile.
         */
        IncidentSummary: {
            /** Actor */
            actor: string;
            /** Events */
            events: number;
            /**
             * First Seen
             * Format: date-time
             */
            first_seen: string;
            /** Id */
            id: string;
            /**
             * Last Seen
             * Format: date-time
             */
            last_seen: string;
            outcome: components["schemas"]["Outcome"];
            severity: components["schemas"]["Severity"];
            /** Site */
            site: string | null;
            stage: components["schemas"]["Stage"];
            /** Summary */
            summary: string;
        };
        /**
         * LabelDocument
         * @description A label with its request. Text is as logged: hostile.
         */
        LabelDocument: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            attack: components["schemas"]["Attack"] | null;
            /** Author */
            author: string;
            /** Event */
            event: string;
            /** Incident */
            incident: string | null;
            /** Method */
            method: string | null;
            /** Note */
            note: string;
            /** Referer */
            referer: string | null;
            /** Score */
            score: number;
            /** Site */
            site: string | null;
            /** Status */
            status: number | null;
            /** Target */
            target: string;
            /** User Agent */
            user_agent: string | null;
        };
        /**
         * Labels
         * @description Labels, the newest first.
         */
        Labels: {
            /** Rows */
            rows: components["schemas"]["LabelDocument"][];
            /** Total */
            total: number;
        };
        /**
         * Learning
         * @description What came of the newest learning from labels.
         */
        Learning: {
            after: components["schemas"]["ModelFigures"] | null;
            /** Attacks */
            attacks: number;
            before: components["schemas"]["ModelFigures"] | null;
            /** Labels */
            labels: number;
            /**
             * Made
             * Format: date-time
             */
            made: string;
            /** Promoted */
            promoted: boolean;
            /** Refused */
            refused: string[];
        };
        /**
         * Line
         * @description One line of a chart: parallel lists over the grid, zeros where nothing happened.
         */
        Line: {
            /** Attacks */
            attacks: number[];
            /** Bytes */
            bytes: number[];
            /** Key */
            key: string;
            /** Requests */
            requests: number[];
            /** T */
            t: string[];
        };
        /**
         * Login
         * @description A password.
         */
        Login: {
            /** Password */
            password: string;
        };
        /**
         * Meta
         * @description What the page needs to know before anything else.
         */
        Meta: {
            /** Attributions */
            attributions: components["schemas"]["Attribution"][];
            /** Auth Required */
            auth_required: boolean;
            /** First */
            first: string | null;
            /** Languages */
            languages: string[];
            /** Last */
            last: string | null;
            /**
             * Mode
             * @enum {string}
             */
            mode: "embedded" | "distributed" | "report";
            /**
             * Now
             * Format: date-time
             */
            now: string;
            /** Sites */
            sites: string[];
            /** Version */
            version: string;
        };
        /**
         * Model
         * @description The classifier in use and the newest learning.
         */
        Model: {
            /** Card */
            card: {
                [key: string]: unknown;
            } | null;
            learning: components["schemas"]["Learning"] | null;
        };
        /**
         * ModelFigures
         * @description What a model does to labels that it did not learn from, and to the reference requests.
         */
        ModelFigures: {
            /** Alarms */
            alarms: number;
            /** Error */
            error: number;
            /** Loss */
            loss: number;
            /** Missed */
            missed: number;
            /** Wrong */
            wrong: number;
        };
        /**
         * NewException
         * @description What to except. What is null holds for any; `*` in a text stands for anything.
         */
        NewException: {
            /**
             * Author
             * @default operator
             */
            author?: string;
            /** Expires */
            expires?: string | null;
            /** Network */
            network?: string | null;
            /** Parameter */
            parameter?: string | null;
            /** Reason */
            reason: string;
            /** Route */
            route?: string | null;
            /** Rule */
            rule?: string | null;
            /** Shape */
            shape?: string | null;
            /** Site */
            site?: string | null;
        };
        /**
         * NewLabel
         * @description What an event, or all evidence of an incident, really was: one of `event` and `incident`.
         */
        NewLabel: {
            attack: components["schemas"]["Attack"] | null;
            /**
             * Author
             * @default operator
             */
            author?: string;
            /** Event */
            event?: string | null;
            /** Incident */
            incident?: string | null;
            /**
             * Note
             * @default
             */
            note?: string;
        };
        /**
         * Order
         * @description What the rows of a top list are ordered by, largest first.
         * @enum {string}
         */
        Order: "requests" | "bytes" | "attacks";
        /**
         * Outcome
         * @description How an attack went.
         * @enum {string}
         */
        Outcome: "blocked" | "missed" | "worked" | "unknown";
        /**
         * Reason
         * @description Why a record did not become an event. The closed set.
         * @enum {string}
         */
        Reason: "empty" | "binary" | "too_long" | "no_format" | "bad_time" | "bad_field" | "bad_json" | "directive" | "excluded";
        /**
         * ReasonCount
         * @description Rejects of one reason.
         */
        ReasonCount: {
            /** Count */
            count: number;
            reason: components["schemas"]["Reason"];
        };
        /**
         * Reject
         * @description One line that is no event.
         */
        Reject: {
            /** Position */
            position: number;
            /** Raw */
            raw: string;
            /**
             * Read At
             * Format: date-time
             */
            read_at: string;
            reason: components["schemas"]["Reason"];
            /** Size */
            size: number;
            /** Source */
            source: string;
        };
        /**
         * Rejects
         * @description Lines that are no events, newest first.
         */
        Rejects: {
            /** By Reason */
            by_reason?: components["schemas"]["ReasonCount"][];
            /** Rows */
            rows?: components["schemas"]["Reject"][];
        };
        /**
         * Row
         * @description One value of a dimension.
         */
        Row: {
            /** Attacks */
            attacks: number;
            /** Bytes */
            bytes: number | null;
            /** Country */
            country?: string | null;
            /** Errors */
            errors: number | null;
            /** Label */
            label?: string | null;
            /** Requests */
            requests: number;
            /** Share */
            share: number;
            /** Value */
            value: string | null;
        };
        /**
         * RuleText
         * @description A rule that may come: its id and its YAML.
         */
        RuleText: {
            /** Id */
            id: string;
            /** Text */
            text: string;
        };
        /**
         * Series
         * @description Requests over time.
         */
        Series: {
            answered_from: components["schemas"]["AnsweredFrom"];
            /** Series */
            series: components["schemas"]["Line"][];
            /** Start */
            start: string | null;
            /** Step S */
            step_s: number;
        };
        /**
         * Severity
         * @description How much it matters, lowest first.
         * @enum {string}
         */
        Severity: "info" | "low" | "medium" | "high" | "critical";
        /**
         * Side
         * @description Who takes an event for an attack.
         * @enum {string}
         */
        Side: "model" | "rules";
        /**
         * SourceRow
         * @description State of one source. Sizes in B; null: not known or without meaning for this kind.
         *
         *     `late`: how many of the events came more than a minute behind the newest of their source.
         */
        SourceRow: {
            /** Confidence */
            confidence?: number | null;
            /**
             * Detail
             * @default
             */
            detail?: string;
            /**
             * Events
             * @default 0
             */
            events?: number;
            /**
             * Filtered
             * @default 0
             */
            filtered?: number;
            /** Format */
            format?: string | null;
            /** Kind */
            kind: string;
            /** Lag Bytes */
            lag_bytes?: number | null;
            /** Last Read */
            last_read?: string | null;
            /**
             * Late
             * @default 0
             */
            late?: number;
            /** Lines Per Second */
            lines_per_second?: number | null;
            /**
             * Read Bytes
             * @default 0
             */
            read_bytes?: number;
            /**
             * Rejects
             * @default 0
             */
            rejects?: number;
            /** Size Bytes */
            size_bytes?: number | null;
            /** Source */
            source: string;
            /** State */
            state: string;
        };
        /**
         * Sources
         * @description All sources.
         */
        Sources: {
            /** Rows */
            rows: components["schemas"]["SourceRow"][];
        };
        /**
         * Stage
         * @description How far an actor has come, earliest first.
         * @enum {string}
         */
        Stage: "recon" | "probe" | "exploit" | "foothold";
        /**
         * Status
         * @description What people decided about an incident.
         * @enum {string}
         */
        Status: "open" | "acknowledged" | "closed" | "false_alarm";
        /**
         * Top
         * @description The largest values of one dimension.
         */
        Top: {
            answered_from: components["schemas"]["AnsweredFrom"];
            /** Approximate */
            approximate: boolean;
            /** Other */
            other: number;
            /** Rows */
            rows: components["schemas"]["Row"][];
            /** Total */
            total: number;
        };
        /**
         * TotalsNow
         * @description Totals of the lake with what other stores know.
         */
        TotalsNow: {
            answered_from: components["schemas"]["AnsweredFrom"];
            /** Approximate */
            approximate: boolean;
            /** Attacks */
            attacks: number;
            /** Bytes */
            bytes: number;
            /** Client Errors */
            client_errors: number;
            /** Events */
            events: number;
            /** Filtered */
            filtered: number;
            /** First */
            first: string | null;
            /** Incidents Open */
            incidents_open: number | null;
            /** Last */
            last: string | null;
            /** Log Bytes */
            log_bytes: number;
            /** Normal */
            normal: number;
            /** Other */
            other: number;
            /** Rate Now */
            rate_now: number;
            /** Read */
            read: number;
            /** Rejects */
            rejects: number;
            /** Requests */
            requests: number;
            /** Resources */
            resources: number;
            /** Server Errors */
            server_errors: number;
            /** Success */
            success: number;
            /** Visitors */
            visitors: number;
        };
        /**
         * Trial
         * @description A change to try; what is left out stays as it is.
         */
        Trial: {
            /**
             * Exceptions
             * @default true
             */
            exceptions?: boolean;
            rule?: components["schemas"]["RuleText"] | null;
            /** Threshold */
            threshold?: number | null;
        };
        /** ValidationError */
        ValidationError: {
            /** Context */
            ctx?: Record<string, never>;
            /** Input */
            input?: unknown;
            /** Location */
            loc: (string | number)[];
            /** Message */
            msg: string;
            /** Error Type */
            type: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    actor: {
        parameters: {
            query?: {
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path: {
                client_ip: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActorDocument"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    backtest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backtest"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    start_backtest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Trial"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backtest"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    exceptions: {
        parameters: {
            query?: {
                /** @description also ended ones */
                all?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Exceptions"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    add_exception: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewException"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExceptionDocument"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    exception: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exception_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExceptionDetail"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    end_exception: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exception_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExceptionDocument"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    explain_event: {
        parameters: {
            query: {
                id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    explain_line: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExplainLine"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: {
                format?: components["schemas"]["Format"];
                /** @description field names of the Elastic Common Schema */
                ecs?: boolean;
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path: {
                what: "events" | "incidents";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    incidents: {
        parameters: {
            query?: {
                status?: "open" | "closed" | "all";
                /** @description by last_seen; or by severity, in each what likely worked, then the newest */
                order?: "newest" | "worst";
                limit?: number;
                cursor?: string | null;
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentPage"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    incident: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                incident_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentDocument"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    decide: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                incident_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Decide"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IncidentDocument"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    labels: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Labels"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    add_label: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLabel"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Labels"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    meta: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Meta"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    model: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    learn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    queue: {
        parameters: {
            query?: {
                limit?: number;
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Doubts"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    rejects: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rejects"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    series: {
        parameters: {
            query?: {
                points?: number;
                by?: components["schemas"]["By"];
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sources"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    stream: {
        parameters: {
            query?: {
                /** @description now,events,incident,health; absent: all */
                kinds?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    top: {
        parameters: {
            query?: {
                limit?: number;
                order?: components["schemas"]["Order"];
                /** @description only attacks, or only the rest */
                abnormal?: boolean | null;
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path: {
                dimension: components["schemas"]["Dimension"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Top"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    totals: {
        parameters: {
            query?: {
                /** @description ISO 8601, or now-15m; absent: since the beginning */
                from?: string | null;
                /** @description ISO 8601, or now; absent: to the end */
                to?: string | null;
                /** @description virtual host; absent: all */
                site?: string | null;
                /** @description filter, e.g. status:404 path:/admin* -bot:search* */
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotalsNow"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
    is_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    is_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fault"];
                };
            };
        };
    };
}
