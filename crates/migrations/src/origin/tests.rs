//! Lines of objects in scripts of every form.

use proptest::prelude::*;
use trueup_model::name::Identifier;

use super::*;

fn path(kind: ObjectKind, names: &str) -> ObjectPath {
    ObjectPath::new(kind, names.split('/').map(Identifier::from))
}

/// Checks `kind names => line:column` for each object, exact places only.
fn check(sql: &str, expected: &[(ObjectKind, &str, &str)]) {
    let script = Script::of_text("f.sql", sql);
    let index = OriginIndex::new(&script);
    for &(kind, names, place) in expected {
        let found = index.find(&path(kind, names)).map(|at| format!("{}:{}", at.line, at.column));
        assert_eq!(found.as_deref(), Some(place), "{kind:?} {names}");
    }
}

use ObjectKind::{Column, Constraint, Extension, Index, Policy, Routine, Schema, Sequence, Table, Trigger, Type, View};

#[test]
fn tables_with_all_their_members() {
    let sql = "-- comment
CREATE SCHEMA IF NOT EXISTS s;
CREATE TABLE IF NOT EXISTS s.\"T x\" (
    id bigserial PRIMARY KEY,
    a int NOT NULL DEFAULT (1 + 2) UNIQUE,
    b numeric(10, 2)
        CONSTRAINT positive CHECK (b > 0)
        REFERENCES s.other (id),
    \"C\" text GENERATED ALWAYS AS IDENTITY, d int,
    CONSTRAINT named UNIQUE (a, b),
    UNIQUE (b, \"C\"),
    FOREIGN KEY (a) REFERENCES s.other,
    CHECK (d > 1),
    EXCLUDE USING gist (a WITH =),
    LIKE s.other
);";
    check(
        sql,
        &[
            (Schema, "s", "2:1"),
            (Table, "s/T x", "3:1"),
            (Column, "s/T x/id", "4:5"),
            (Column, "s/T x/a", "5:5"),
            (Column, "s/T x/b", "6:5"),
            (Column, "s/T x/C", "9:5"),
            (Column, "s/T x/d", "9:44"),
            (Constraint, "s/T x/T x_pkey", "4:18"),
            (Constraint, "s/T x/T x_a_key", "5:36"),
            (Constraint, "s/T x/positive", "7:9"),
            (Constraint, "s/T x/T x_b_fkey", "8:9"),
            (Constraint, "s/T x/named", "10:5"),
            (Constraint, "s/T x/T x_b_C_key", "11:5"),
            (Constraint, "s/T x/T x_a_fkey", "12:5"),
            (Constraint, "s/T x/T x_a_fkey1", "12:5"),
            (Constraint, "s/T x/T x_d_check", "13:5"),
            (Constraint, "s/T x/T x_a_excl", "14:5"),
            (Index, "s/T x/named", "10:5"),
            (Sequence, "s/T x_id_seq", "4:5"),
            (Sequence, "s/T x_C_seq", "9:5"),
        ],
    );
    let script = Script::of_text("f.sql", sql);
    let index = OriginIndex::new(&script);
    assert_eq!(index.find(&path(Table, "other/T x")), None, "another schema");
    assert_eq!(index.find(&path(Column, "s/T x/positive")), None);
}

#[test]
fn alterations_and_renames() {
    check(
        "create table t (a int, b int);
alter table only t
    add column if not exists c int references u,
    add d text,
    alter column b type bigint,
    add constraint k check (a > 0),
    add primary key (a);
alter table t rename column a to z;
alter table t rename constraint k to k2;
alter table t rename to t2;
alter table t2 set schema s2;
alter index i rename to j;
alter type mood add value 'x';
alter table u validate constraint fk, enable trigger trg;",
        &[
            (Table, "any/t", "1:1"),
            (Column, "any/t/a", "1:17"),
            (Column, "any/t/b", "5:5"),
            (Column, "any/t/c", "3:30"),
            (Column, "any/t/d", "4:9"),
            (Constraint, "any/t/t_c_fkey", "3:36"),
            (Constraint, "any/t/k", "6:9"),
            (Constraint, "any/t/t_pkey", "7:9"),
            (Column, "any/t/z", "8:1"),
            (Constraint, "any/t/k2", "9:1"),
            (Table, "any/t2", "10:1"),
            (Table, "s2/t2", "11:1"),
            (Index, "any/x/j", "12:1"),
            (Type, "any/mood", "13:1"),
            (Constraint, "any/u/fk", "14:15"),
            (Trigger, "any/u/trg", "14:39"),
            (Table, "any/u", "14:1"),
        ],
    );
}

#[test]
fn other_objects() {
    check(
        "create unique index concurrently if not exists i on s.t using btree (lower(a), b);
create index on only s.t (a, (b + 1), lower(c));
create or replace view v as select 1;
create materialized view s.m as select 1;
create type e as enum ('a'); create domain d as int;
create or replace function s.f(a int) returns int as $$ select 1; $$ language sql;
create constraint trigger tr after insert on s.t for each row execute function f();
create policy p on s.t using (true);
create extension if not exists \"uuid-ossp\";
create temp sequence q;
create table part partition of s.t for values in (1);
create table copy_of (x, y) as select 1, 2;",
        &[
            (Index, "s/t/i", "1:1"),
            (Index, "s/t/t_a_expr_lower_idx", "2:1"),
            (View, "s/v", "3:1"),
            (View, "s/m", "4:1"),
            (Type, "s/e", "5:1"),
            (Type, "s/d", "5:30"),
            (Routine, "s/f(integer)", "6:1"),
            (Trigger, "s/t/tr", "7:1"),
            (Policy, "s/t/p", "8:1"),
            (Extension, "uuid-ossp", "9:1"),
            (Sequence, "s/q", "10:1"),
            (Table, "s/part", "11:1"),
            (Column, "s/copy_of/y", "12:26"),
        ],
    );
}

#[test]
fn mentions_and_the_first_statement_are_the_last_resort() {
    let sql = "-- t_c is old\nselect 1;\ninsert into x values ('c');\nDO $$ BEGIN\n  alter table other add c int;\n  alter table T add C int;\nEND $$;";
    let script = Script::of_text("f.sql", sql);
    let index = OriginIndex::new(&script);
    let at = |object: ObjectPath| index.locate(&object).to_string();
    assert_eq!(at(path(Column, "s/t/c")), "f.sql:6:21");
    assert_eq!(at(path(Column, "s/nope/c")), "f.sql:5:25");
    assert_eq!(at(path(Table, "s/nowhere")), "f.sql:2:1");
    assert_eq!(at(ObjectPath::service()), "f.sql:2:1");
}

#[test]
fn broken_scripts_still_give_places() {
    let script = Script::of_text("f.sql", "create table a (x int);\ncreate table b (y int); select '");
    let index = OriginIndex::new(&script);
    assert_eq!(index.locate(&path(Column, "s/a/x")).to_string(), "f.sql:1:17");
    for sql in [
        "create table",
        "create table t (",
        "alter table t add",
        "create index on",
        "create trigger x",
        "create table t (a int,,) ;",
        "alter",
        "create",
        "alter table t rename",
    ] {
        let script = Script::of_text("f.sql", sql);
        OriginIndex::new(&script).locate(&path(Table, "s/t"));
    }
}

proptest! {
    #[test]
    fn never_panics_and_stays_inside(pieces in prop::collection::vec(prop::sample::select(vec![
        "create ", "table ", "t ", "s.", "(", ")", ",", "alter table t ", "add ", "constraint ", "primary key ", "check ", "index ", "on ", "rename ", "to ", "\"é\" ", ";", "do $$ t $$", "'", "unique ", "\n",
    ]), 0..25)) {
        let sql = pieces.concat();
        let script = Script::of_text("f.sql", &sql);
        let index = OriginIndex::new(&script);
        let lines = u32::try_from(sql.matches('\n').count() + 1).expect("few");
        for object in [path(Table, "s/t"), path(Column, "s/t/t"), path(Index, "s/t/é"), path(Constraint, "s/t/t_pkey")] {
            prop_assert!(index.locate(&object).line <= lines);
        }
    }
}
