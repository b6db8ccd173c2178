//! What is typed: which setting wins, what is refused, what is answered.

use crate::stage::Stage;

/// Arguments, variables, and where the history is afterwards.
type Turn<'t> = (&'t [&'t str], &'t [(&'t str, &'t str)], (&'t str, &'t str));

/// Arguments, variables, the exit code, and a word of the complaint.
type Wrong<'w> = (&'w [&'w str], &'w [(&'w str, &'w str)], i32, &'w str);

/// Behind the case's database, what else is typed.
fn typed<'t>(more: &[&'t str]) -> Vec<&'t str> {
    [&["-url={url}", "-user=postgres"], more].concat()
}

/// The tables that migrations made, in any schema.
const TABLES: &str = "select string_agg(oid::regclass::text, ' ' order by oid::regclass::text) from pg_class where relkind = 'r' \
                      and relnamespace::regnamespace::text not like all ('{pg_%,information_schema}')";

/// All that `migrate` made goes, so that the next one makes it anew.
fn afresh(stage: &mut Stage) {
    stage.see(TABLES);
    stage.sql(
        "do $$ declare s text; begin for s in select nspname from pg_namespace where nspname !~ '^(pg_|information_)' \
         loop execute format('drop schema %I cascade', s); end loop; create schema public; end $$",
    );
}

pub(crate) fn precedence(stage: &mut Stage) {
    stage.write("V1__a.sql", "create table t_${name}();");
    of_conf(stage);
    of_toml(stage);
    of_environments(stage);
    of_small_variables(stage);
    what_is_unknown(stage);
}

fn of_conf(stage: &mut Stage) {
    stage.write_in(
        ".",
        "flyway.conf",
        "flyway.table=by_file\nflyway.schemas=by_file\nflyway.placeholders.name=by_file\nflyway.installedBy=by_file\n",
    );
    stage.history_in("by_variable", "by_option");
    let variables = [("FLYWAY_TABLE", "by_variable"), ("FLYWAY_SCHEMAS", "by_variable")];
    let arguments = typed(&["-locations=filesystem:sql", "-table=by_option", "migrate"]);
    stage.call_a((&arguments, &variables)).exits(0);
    afresh(stage);
    // Variables in small letters belong to TOML.
    stage.history_in("by_file", "by_file");
    let variables = [("flyway_table", "by_variable"), ("flyway_bogus", "1"), ("FLYWAY_BOGUS", "1")];
    stage.call_b((&typed(&["-locations=filesystem:sql", "migrate"]), &variables)).exits(0);
    afresh(stage);
    std::fs::remove_file(stage.root.path().join("flyway.conf")).unwrap();
    stage.history_in("public", "flyway_schema_history");
}

/// Files in which each one overrules the ones before it.
const LAYERS: [(&str, &str, &str); 5] = [
    ("home", "flyway.toml", "[flyway.placeholders]\nname = \"home\"\n"),
    (".", "flyway.toml", "[flyway]\nlocations = [\"filesystem:sql\"]\n[flyway.placeholders]\nname = \"current\"\n"),
    ("wd", "flyway.toml", "[flyway.placeholders]\nname = \"working\"\n"),
    ("wd", "flyway.user.toml", "[flyway.placeholders]\nname = \"personal\"\n"),
    ("wd", "more.toml", "[flyway.placeholders]\nname = \"named\"\n"),
];

fn of_toml(stage: &mut Stage) {
    LAYERS.iter().for_each(|(folder, name, text)| stage.write_in(folder, name, text));
    stage.write_in("wd/sql", "V1__a.sql", "create table t_${name}();");
    let calls: [(&[&str], bool); 3] = [
        (&["-workingDirectory=wd", "migrate"], true),
        (&["-workingDirectory=wd", "-configFiles=more.toml", "migrate"], false),
        (&["-workingDirectory=wd", "-configFiles=more.toml", "-placeholders.name=typed", "migrate"], true),
    ];
    for (more, first) in calls {
        let arguments = typed(more);
        if first { stage.call_a((&arguments, &[])) } else { stage.call_b((&arguments, &[])) }.exits(0);
        afresh(stage);
    }
    LAYERS
        .iter()
        .for_each(|(folder, name, _)| std::fs::remove_file(stage.root.path().join(folder).join(name)).unwrap());
}

fn environments(stage: &Stage) {
    let text = "[flyway]\nlocations = [\"filesystem:sql\"]\ntable = \"history_of_file\"\n\
        [flyway.placeholders]\nname = \"of_file\"\n\
        [environments.default]\nurl = \"{url}\"\nuser = \"postgres\"\n\
        [environments.dev]\nurl = \"{url}\"\nuser = \"postgres\"\nschemas = [\"dev\"]\n\
        [environments.dev.flyway]\ntable = \"history_of_dev\"\n\
        [environments.dev.flyway.placeholders]\nname = \"of_dev\"\n";
    stage.write_in(".", "flyway.toml", text.replace("{url}", &stage.url));
}

fn of_environments(stage: &mut Stage) {
    environments(stage);
    let nowhere = "jdbc:postgresql://127.0.0.1:1/nowhere";
    let calls: [Turn<'_>; 6] = [
        (&["migrate"], &[], ("public", "history_of_file")),
        // What an environment sets outranks what is typed for all of them, but for the connection and the schemas.
        (
            &["-environment=dev", "-table=typed", "migrate"],
            &[("FLYWAY_PLACEHOLDERS_NAME", "x")],
            ("dev", "history_of_dev"),
        ),
        (
            &["-environment=dev", "-schemas=typed", "-url={url}", "migrate"],
            &[("FLYWAY_URL", nowhere)],
            ("typed", "history_of_dev"),
        ),
        (&["-environment=dev", "-environments.dev.flyway.table=typed", "migrate"], &[], ("dev", "typed")),
        // No variable of Flyway's.
        (&["migrate"], &[("FLYWAY_ENVIRONMENT", "dev")], ("public", "history_of_file")),
        (&["-environment=nowhere", "migrate"], &[], ("public", "history_of_file")),
    ];
    for (turn, (arguments, variables, (schema, table))) in calls.into_iter().enumerate() {
        stage.history_in(schema, table);
        let call = (arguments, variables);
        let called = if turn % 2 == 0 { stage.call_a(call) } else { stage.call_b(call) };
        called.exits(i32::from(arguments.contains(&"-environment=nowhere")));
        afresh(stage);
    }
}

fn of_small_variables(stage: &mut Stage) {
    let nowhere = "jdbc:postgresql://127.0.0.1:1/nowhere";
    let calls: [Turn<'_>; 5] = [
        (
            &["migrate"],
            &[("flyway_table", "small"), ("FLYWAY_TABLE", "large"), ("flyway_placeholders_NAME", "small_name")],
            ("public", "small"),
        ),
        (&["-table=typed", "migrate"], &[("flyway_table", "small")], ("public", "typed")),
        (
            &["migrate"],
            &[
                ("flyway_environment", "dev"),
                ("environments_dev_flyway_table", "small"),
                ("environments_dev_schemas", "lost"),
                ("flyway_schemas", "small"),
                ("environments_other_flyway_bogus", "1"),
            ],
            ("small", "small"),
        ),
        (
            &["migrate"],
            &[("environments_default_url", nowhere), ("flyway_url", "{url}")],
            ("public", "history_of_file"),
        ),
        (
            &["-environment=made", "migrate"],
            &[("environments_made_url", "{url}"), ("environments_made_user", "postgres")],
            ("public", "history_of_file"),
        ),
    ];
    for (turn, (arguments, variables, (schema, table))) in calls.into_iter().enumerate() {
        stage.history_in(schema, table);
        let call = (arguments, variables);
        if turn % 2 == 0 { stage.call_a(call) } else { stage.call_b(call) }.exits(0);
        afresh(stage);
    }
}

fn what_is_unknown(stage: &mut Stage) {
    let cases: [Wrong<'_>; 10] = [
        (&["bogus"], &[], 1, "Invalid flag: bogus"),
        (&["-bogus", "info"], &[], 1, "Invalid flag: -bogus"),
        (&["-bogus=1", "info"], &[], 1, "flyway.bogus"),
        (&["-outOfOrder=perhaps", "info"], &[], 1, "perhaps"),
        (&["-outputType=xml", "info"], &[], 1, "'xml' is an invalid value for the -outputType option"),
        (&["info"], &[("flyway_bogus", "1")], 1, "flyway.bogus"),
        (&["info"], &[("flyway_out_of_order", "true")], 1, "flyway.out.of"),
        (&["info"], &[("flyway_outOfOrder", "perhaps")], 1, "perhaps"),
        (&["info"], &[("environments_default_flyway_bogus", "1")], 1, "bogus"),
        (&["info"], &[("FLYWAY_OUT_OF_ORDER", "perhaps")], 1, "perhaps"),
    ];
    for (turn, (arguments, variables, code, word)) in cases.into_iter().enumerate() {
        let call = (arguments, variables);
        let called = if turn % 2 == 0 { stage.call_a(call) } else { stage.call_b(call) };
        called.exits(code).complains(word);
    }
    std::fs::remove_file(stage.root.path().join("flyway.toml")).unwrap();
    stage.write_in(".", "flyway.conf", "flyway.bogus=1\n");
    stage.call_b((&typed(&["info"]), &[])).exits(1).complains("Unknown configuration property: flyway.bogus");
    stage.write_in(".", "flyway.conf", "flyway.outOfOrder=perhaps\n");
    stage.call_a((&typed(&["info"]), &[])).exits(1).complains("perhaps");
}

pub(crate) fn answers(stage: &mut Stage) {
    stage.files(&[
        ("V1__first.sql", "create table a(id int);"),
        ("V2__second_thing.sql", "create table b(id int);\ninsert into b values (1);"),
        ("R__view.sql", "create or replace view v as select 1 as x;"),
    ]);
    let placed = |more: &[&'static str]| [&["-locations=filesystem:sql", "-outputType=json"], more].concat();
    let placed = |more: &[&'static str]| typed(&placed(more));
    let all = ["-cleanDisabled=false", "info", "baseline", "info", "clean", "migrate", "info", "validate", "repair"];
    stage.call_a((&placed(&all), &[])).exits(0);
    stage.call_b((&placed(&["migrate"]), &[])).exits(0);
    // One that is changed and one that is new; validate exits with 0 when JSON is asked for.
    stage.write("V1__first.sql", "create table a(id bigint);");
    stage.write("V3__bad.sql", "create table z(id int);\n\n  insert into nowhere\n values(1);\n");
    stage.call_b((&placed(&["validate"]), &[])).exits(0);
    let for_people = |verb: &'static str| typed(&["-locations=filesystem:sql", verb]);
    stage.call_a((&for_people("validate"), &[])).exits(1).complains("Migration checksum mismatch");
    stage.call_b((&placed(&["migrate"]), &[])).exits(1);
    stage.write("V1__first.sql", "create table a(id int);");
    stage.call_a((&placed(&["-schemas=public,more", "migrate", "info"]), &[])).exits(1);
    stage.call_b((&placed(&["clean"]), &[])).exits(1);
    let disabled = "Unable to execute clean as it has been disabled with the 'flyway.cleanDisabled' property.";
    stage.call_a((&for_people("clean"), &[])).exits(1).complains(disabled);
    stage.call_b((&for_people("check"), &[])).exits(35).complains("check");
}
