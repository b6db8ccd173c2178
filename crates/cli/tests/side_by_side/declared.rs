//! Every case: number, what it is about, where ours differs on purpose.

use crate::case::Case;
use crate::cases;

macro_rules! cases {
    ($($number:literal $module:ident::$name:ident, $title:literal, $differs:expr;)*) => {
        /// All cases that are played, by number.
        pub(crate) const ALL: &[Case] = &[$(
            Case { number: $number, title: $title, differs: $differs, play: cases::$module::$name },
        )*];

        mod play {
            $(
                #[test]
                fn $name() {
                    super::ALL.iter().find(|case| case.number == $number).unwrap().run();
                }
            )*
        }
    };
}

/// Where ours does not differ.
const SAME: &str = "";

cases! {
    1 turns::one_migrates_the_other_is_content, "One migrates V1 to V3 and a repeatable; the other validates, shows the same states, and has nothing to do", SAME;
    2 turns::and_goes_on, "As before, then the other applies what comes next, and the first is content with it", SAME;
    3 turns::version_by_version, "They alternate, version by version", SAME;
    4 files::another_table, "Another name for the history's table; `\\d` of it", SAME;
    5 schemas::tablespace, "`tablespace`: the history's table and both its indexes; one that does not exist", SAME;
    6 files::checksums, "Checksums: ends of lines, byte order marks, blanks, empty files, a transcoded file", SAME;
    7 files::encodings, "Files in UTF-16 and ISO-8859-1, as the `.conf` beside them says", SAME;
    8 files::malformed, "A file that is not UTF-8", SAME;
    9 files::invalid_names, "Every kind of invalid name, with `validateMigrationNaming` on and off", "`U` names are valid here: trueup undoes";
    10 files::undo_file, "A `U` file", SAME;
    11 files::one_version_twice, "`V1` and `V1.0`; `B1` and `B01`", SAME;
    12 files::one_repeatable_twice, "Two repeatables of one description", SAME;
    13 files::order_of_versions, "`V9` before `V10`, timestamps, 25 digits, a sign; repeatables by description", SAME;
    14 files::long_version, "A version of 51 characters", "FAILED_MIGRATION, where Flyway says DB_CONNECTION";
    15 files::long_description, "Descriptions of 210 characters", "a repeatable of that length runs once; Flyway does not find its row again and runs it every time";
    16 files::folders_below, "Folders below a location, and a path of more than 1,000 characters", SAME;
    17 files::wildcards, "Each wildcard of a location", SAME;
    18 files::hidden_folders, "Hidden folders", SAME;
    19 files::missing_location, "A location that does not exist, with `failOnMissingLocations` on and off", SAME;
    20 files::one_callback_twice, "Two callbacks of one name", SAME;
    21 schemas::created, "Schemas that are missing: rank 0, and which names its script has", SAME;
    22 schemas::another_later, "A schema that is named later", SAME;
    23 schemas::not_created, "A missing schema with `createSchemas=false`", "SCHEMA_DOES_NOT_EXIST, where Flyway says DB_CONNECTION";
    24 schemas::not_empty, "A schema with objects and no history, for each kind of object", SAME;
    25 schemas::baseline_on_migrate, "`baselineOnMigrate` on a schema with objects, an empty one, and a missing one", SAME;
    26 verbs::baseline_again, "`baseline` again, with another version, another description, on an empty history, beside migrations", SAME;
    27 verbs::baseline_with_schemas, "`baseline` that creates the schemas", SAME;
    28 schemas::baseline_file_on_nothing, "`B` files on an empty database", SAME;
    29 schemas::baseline_file_too_late, "`B` files on a database with a history", SAME;
    30 states::ignored_then_out_of_order, "A version that comes too late, then `outOfOrder`", SAME;
    31 states::missing, "The file of an applied version is gone", SAME;
    32 states::future, "The file of the last applied version is gone", SAME;
    33 verbs::repaired_and_restored, "`repair` marks rows whose files are gone; the files come back", SAME;
    34 verbs::undone, "`undo`, and what was undone is applied again, twice", "the verb is ours; Flyway's free edition reads its row as Deleted";
    35 states::changed_repeatable, "A repeatable changes, three times", SAME;
    36 states::placeholder_of_repeatable, "The value of a placeholder in a repeatable changes", "a row with the checksum of the text before placeholders is accepted by `migrate`, as by Flyway's `repair`; Flyway's `migrate` refuses it";
    37 states::repeatable_gone_and_back, "A repeatable is taken away and put back", SAME;
    38 verbs::mismatches, "Another checksum, description and type, then `repair`", SAME;
    39 states::null_checksums, "Rows without a checksum", SAME;
    40 scripts::failing, "A script that fails in its transaction", SAME;
    41 scripts::failing_outside, "A failing VACUUM under both of Flyway's locks", "with Flyway's default lock its row for the failure is rolled back; ours stays under both";
    42 verbs::failed_row, "A failed row is in the way until `repair`", SAME;
    43 states::targets, "`target`: latest, current, next, a version, one that no file has, nonsense", "nonsense is CONFIGURATION, where Flyway's engine says ERROR";
    44 verbs::rows_without_running, "`skipExecutingMigrations`", SAME;
    45 groups::one_of_a_group_fails, "A group of which one fails", SAME;
    46 groups::a_mixed_group, "A group with what needs a transaction and what must not have one", "refused before anything is created; Flyway has created its history by then";
    47 scripts::mixed, "A file that mixes what needs a transaction with what must not have one", "such a file is refused before anything is created; Flyway has created its history by then";
    48 scripts::detected, "Every statement that must not run in a transaction, and some that only look like one", "`REINDEX … CONCURRENTLY` and `DETACH PARTITION … CONCURRENTLY` run; Flyway does not recognise them and fails";
    49 scripts::index_concurrently, "`CREATE INDEX CONCURRENTLY` under the session's lock", SAME;
    50 together::waiting, "One holds the lock, the other waits; `lockRetryCount`", SAME;
    51 together::at_once, "Both migrate at once", SAME;
    52 corpora::splitter, "Quotes, dollar quotes, comments, `E` strings, `BEGIN ATOMIC`, COPY data, and what never ends", "nested CASE in `BEGIN ATOMIC` works; COPY data without `\\.` is an error, where Flyway never ends";
    53 placeholders::replaced, "Placeholders in text, comments and data of a COPY; `$` before them; built-in ones; other marks; missing ones; switched off", SAME;
    54 scripts::settings_that_stay, "What `SET` leaves behind for the next script, with and without `currentSchema`", SAME;
    55 callbacks::traced, "The order of callbacks in every command, failures among them", "a disabled `clean` is refused before connecting, so that no `afterConnect` runs";
    56 verbs::cleaned, "`clean`: disabled, schemas that a migration run created, every kind of object, an extension", SAME;
    57 command_lines::precedence, "The command line outranks variables, and these outrank files; environments; an unknown key, flag and boolean", SAME;
    58 command_lines::answers, "JSON of each command, field by field; exit codes, that of `validate` with JSON among them", SAME;
    59 together::another_zone, "`TZ=Asia/Tokyo`", SAME;
    60 states::extra_column, "A column of somebody else's in the history", SAME;
    61 together::undone_by_a_paid_edition, "A row of the type `UNDO_SQL`", "trueup reads it; Flyway's free edition refuses the whole history";
}
