//! Hand-made pairs of sides, one difference each.
