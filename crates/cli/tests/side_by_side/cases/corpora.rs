//! Scripts made to trip a splitter, and placeholders made to trip a replacer.

use crate::outcome::Outcome;
use crate::stage::{Party, Stage};

/// Both cut these alike, or PostgreSQL's answer would tell.
const CUT: &[&str] = &[
    "insert into said values ('a;b'), ('it''s; fine'), ($$dollar;$$), ($tag$one $$ two; $other$ three$tag$);",
    "insert into said values (E'escaped \\'; still'), (U&'\\0061;'), (e'plain\\n;');",
    "/* a; /* nested; */ still; */ insert into said values ('after'); -- tail; ignored",
    "insert into said values ('no end')",
    ";;insert into said values ('empty ones');;;\n;\n",
    "create table \"odd;name\"(\"co;l\" int); insert into said select 'quoted ' || count(*) from \"odd;name\";",
    "create function f1() returns text language plpgsql as $body$ begin if true then return 'x;'; end if; end; $body$;\n\
     insert into said values (f1());",
    "create function f2(a int) returns int language sql begin atomic select a + 1; select a + 2; end;\n\
     insert into said values (f2(1)::text);",
    "create function f3(a int) returns text language sql begin atomic select case when a > 0 then 'up;' else 'down' end; end;\n\
     insert into said values (f3(1));",
    "create procedure p1() language sql begin atomic insert into said values ('called'); end; call p1();",
    "create rule r1 as on insert to ruled do also (insert into said values ('rule;'); insert into said values ('two'));\n\
     insert into ruled values (1);",
    "select $1$ from (values (1)) v($1$);",
    "create table a$b(c$d int); insert into a$b values (1); insert into said select 'dollar name ' || c$d from a$b;",
    "copy said from stdin;\nplain\nsemi;colon\nit's\n$$\n/* not a comment\n\\.\ninsert into said values ('after copy');",
    "copy said from stdin with (format csv);\n\"one\ntwo; three\"\nplain\n\\.\n",
    "copy said from stdin;\r\ncrlf\r\n\\.\r\ninsert into said values ('after crlf');\r\n",
    "COPY said (what) FROM STDIN;\n\\.\ninsert into said values ('nothing copied');",
    "do $do$ begin execute $q$insert into said values ('in;side')$q$; end $do$;",
    "insert into said values ('-- not a comment'), ('/* nor this'); insert into said values ('$$'), ('${');",
    "insert into said select case when true then 'case;' end; begin; insert into said values ('own transaction'); commit;",
];

pub(crate) fn splitter(stage: &mut Stage) {
    stage.set("placeholderReplacement", "false");
    stage.write(
        "V1__said.sql",
        "create table said(n int generated always as identity, what text); create table ruled(id int);",
    );
    for (index, text) in CUT.iter().enumerate() {
        stage.write(
            &format!("V2.{index}__cut.sql"),
            text.replace("into said values", "into said(what) values")
                .replace("into said select", "into said(what) select")
                .replace("copy said from", "copy said(what) from"),
        );
        let outcome = if index % 2 == 0 { stage.a("migrate", &[]) } else { stage.b("migrate", &[]) };
        assert!(outcome.ok, "{text}: {outcome:#?}");
    }
    stage.see("select what from said order by n");
    for (index, text) in ["create table x(id int", "select 'open", "select $x$ open", "/* open"].iter().enumerate() {
        stage.write(&format!("V3.{index}__cut.sql"), text);
        stage.a("migrate", &[]);
        stage.b("migrate", &[]);
        stage.remove(&format!("V3.{index}__cut.sql"));
    }
    beyond_flyway(stage);
}

/// What Flyway mis-cuts, or never comes back from.
fn beyond_flyway(stage: &mut Stage) {
    stage.apart = true;
    stage.write(
        "V4__case.sql",
        "create function f4(a int) returns int language sql begin atomic select case when a > 0 then case when a > 1 then 2 \
         else 1 end else 0 end; end;\n",
    );
    let outcome = stage.a("migrate", &[]);
    match stage.a {
        Party::Ours => assert_eq!(outcome.ran(), 1),
        Party::Flyway => assert!(!outcome.ok, "Flyway has learnt to cut nested CASE"),
    }
    stage.remove("V4__case.sql");
    stage.write("V5__copy.sql", "copy said(what) from stdin;\nforgotten end\n");
    // Flyway would not come back.
    let outcome = match stage.a {
        Party::Ours => stage.perform(Party::Ours, "migrate", &[]),
        Party::Flyway => Outcome {
            ok: false,
            ran: 0,
            codes: vec!["(not asked: it never answers)".to_owned()],
            message: String::new(),
        },
    };
    assert!(!outcome.ok);
    if stage.a == Party::Ours {
        outcome.says("\\.");
    }
    stage.without_looks();
    stage.note("a migrate, COPY without its end", stage.a, &outcome);
}

pub(crate) fn placeholders(stage: &mut Stage) {
    stage.set("placeholders.name", "world");
    stage.set("placeholders.Mixed.Case", "mixed");
    stage.set("placeholders.empty", "");
    stage.set("placeholders.nested", "${name}");
    stage.set("placeholders.flyway:user", "not me");
    stage.write("V1__said.sql", "create table said(n int generated always as identity, what text);");
    stage.write(
        "V2__words.sql",
        "insert into said(what) values ('${name}'), ('${NAME}'), ('${mixed.case}'), ('${empty}'), ('${nested}'), ('$${name}'), \
         ('$$${name}'), ('$ ${name}'), ('${name'), ('{name}'), ('$name');\n-- ${name}\n/* ${name} */\n\
         create table \"${name}\"();",
    );
    stage.write(
        "V3__built_in.sql",
        "insert into said(what) values ('${flyway:defaultSchema}'), ('${flyway:user}'), ('${flyway:filename}'), \
         ('${flyway:table}'), ('${flyway:environment}'), (('${flyway:database}' = current_database())::text), \
         ((now() at time zone 'UTC' - '${flyway:timestamp}'::timestamp < '1h')::text), ('${FLYWAY:DEFAULTSCHEMA}');",
    );
    stage.write("V4__copy.sql", "copy said(what) from stdin;\n${name}\n\\.\n");
    stage.write("V5__off.sql", "insert into said(what) values ('${name} ${nowhere}');");
    stage.write("V5__off.sql.conf", "placeholderReplacement=false\n");
    stage.write("R__r.sql", "insert into said(what) values ('${name}');");
    assert_eq!(stage.a("migrate", &[]).ran(), 6);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    stage.see("select what from said order by n");
    let other = [("placeholderPrefix", "<<"), ("placeholderSuffix", ">>"), ("placeholderSeparator", "_")];
    stage.write("V6__other.sql", "insert into said(what) values ('<<name>>'), ('${name}'), ('<<flyway_table>>');");
    stage.remove("R__r.sql");
    stage.sql("delete from flyway_schema_history where description = 'r'");
    assert_eq!(stage.b("migrate", &other).ran(), 1);
    stage.see("select what from said order by n");
    stage.write("V7__missing.sql", "insert into said(what) values ('${nowhere}');");
    stage.a("migrate", &[]).says("No value provided for placeholder: ${nowhere}");
    stage.write("V7__missing.sql", "insert into said(what) values ('${flyway:nowhere}');");
    stage.b("migrate", &[]).says("Failed to populate value for default placeholder: ${flyway:nowhere}");
}
