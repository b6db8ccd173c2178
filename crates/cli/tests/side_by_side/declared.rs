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
}
