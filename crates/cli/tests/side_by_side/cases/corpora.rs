//! Scripts made to trip a splitter.

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
    stage.without_looks();
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
    for (index, text) in ["create table x(id int", "select 'open", "select $x$ open"].iter().enumerate() {
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
    if stage.a == Party::Flyway {
        stage.remove("V4__case.sql");
    }
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
    stage.note("a migrate, COPY without its end", stage.a, &outcome);
}
