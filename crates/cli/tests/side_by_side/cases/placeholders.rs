//! What is put into scripts.

use crate::stage::Stage;

/// Keys and values that every script has.
const VALUES: &[(&str, &str)] = &[
    ("placeholders.one", "1"),
    ("placeholders.Two_words", "two words"),
    ("placeholders.dotted.key", "dotted"),
    ("placeholders.empty", ""),
    ("placeholders.nested", "${one}"),
    ("placeholders.quote", "o''b"),
];

/// Each is replaced as Flyway does it, or what stands in the table would tell.
const REPLACED: &[&str] = &[
    "insert into said values ('${one}'), ('${ONE}'), ('${two_WORDS}'), ('${dotted.key}'), ('[${empty}]'), ('${quote}');",
    "insert into said values ('$${one}'), ('$$${one}'), ('$$$${one}'), ('$x${one}'), ('${one}${one}'), ('$ {one}'), ('{one}');",
    "insert into said values ('${nested}');",
    "-- ${one} in a comment\n/* ${two_words} */ insert into said values (/* ${one} */ 'after comments');",
    "insert into said values ($tag$ ${one} $tag$), ($$ ${two_words}; $$), (E'\\'${one}');",
    "create table \"t_${one}\"(id int default ${one}); insert into \"t_${one}\" default values;\n\
     insert into said select 'made ' || id from t_1;",
    "copy said from stdin;\n${one} $${one}\n\\.\n",
    "copy said from stdin with (format csv);\n\"${two_words}\"\n\\.\n",
    "insert into said values ('${flyway:defaultSchema} ${flyway:user} ${flyway:table} ${flyway:environment} ${flyway:filename}');",
    "insert into said values ('${FLYWAY:Table}');",
    "insert into said select ('${flyway:database}' = current_database())::text;",
    "insert into said select (abs(extract(epoch from '${flyway:timestamp}'::timestamp - localtimestamp)) < 600)::text;",
];

/// No value, and what is then said.
const MISSING: &[(&str, &str)] = &[
    ("insert into said values ('${nowhere}');", "No value provided for placeholder: ${nowhere}"),
    ("insert into said values ('${ one }');", "No value provided for placeholder: ${ one }"),
    ("-- ${in.a.comment}\nselect 1;", "No value provided for placeholder: ${in.a.comment}"),
    ("copy said from stdin;\n${in_data}\n\\.\n", "No value provided for placeholder: ${in_data}"),
    ("insert into said values ('${one'), ('}');", "No value provided for placeholder: ${one'), ('}"),
    ("select '${flyway:nowhere}';", "Failed to populate value for default placeholder: ${flyway:nowhere}"),
];

pub(crate) fn replaced(stage: &mut Stage) {
    stage.without_looks();
    VALUES.iter().for_each(|(key, value)| stage.set(key, value));
    stage.write("V1__said.sql", "create table said(what text, n int generated always as identity);");
    for (index, text) in REPLACED.iter().enumerate() {
        let text = text.replace("into said", "into said(what)").replace("copy said", "copy said(what)");
        stage.write(&format!("V2.{index}__x.sql"), &text);
        let outcome = if index % 2 == 0 { stage.a("migrate", &[]) } else { stage.b("migrate", &[]) };
        assert!(outcome.ok, "{text}: {outcome:#?}");
    }
    stage.see("select what from said order by n");
    for (index, (text, said)) in MISSING.iter().enumerate() {
        let name = format!("V3.{index}__x.sql");
        stage.write(&name, text.replace("copy said", "copy said(what)"));
        stage.a("migrate", &[]).says(said);
        assert!(!stage.b("migrate", &[]).ok, "{text}");
        stage.remove(&name);
    }
    other_marks(stage);
    switched_off(stage);
    repeatables(stage);
    stage.see("select what from said order by n");
}

fn other_marks(stage: &mut Stage) {
    stage.write(
        "V4__marks.sql",
        "insert into said(what) values ('#[one]'), ('${one}'), ('#[flyway|table]'), ('##[one]');",
    );
    let marks = [("placeholderPrefix", "#["), ("placeholderSuffix", "]"), ("placeholderSeparator", "|")];
    assert_eq!(stage.a("migrate", &marks).ran(), 1);
}

fn switched_off(stage: &mut Stage) {
    stage.write("V5__off.sql", "insert into said(what) values ('${nowhere}'), ('${one}');");
    stage.write("V5__off.sql.conf", "placeholderReplacement=false\n");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    stage.write("V6__off.sql", "insert into said(what) values ('${nowhere}'), ('${flyway:table}');");
    assert_eq!(stage.a("migrate", &[("placeholderReplacement", "false")]).ran(), 1);
    stage.write("V7__on.sql", "insert into said(what) values ('${one}');");
    stage.write("V7__on.sql.conf", "placeholderReplacement=true\n");
    assert_eq!(stage.b("migrate", &[("placeholderReplacement", "false")]).ran(), 1);
}

/// Their checksum is that of the text with the values.
fn repeatables(stage: &mut Stage) {
    stage.write("R__r.sql", "insert into said(what) values ('${flyway:filename} ${two_words}');");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert_eq!(stage.b("migrate", &[("placeholders.Two_words", "others")]).ran(), 1);
    assert_eq!(stage.a("migrate", &[("placeholders.Two_words", "others")]).ran(), 0);
}
