//! A table and its direct neighbours: where a service is too large to be read as one picture.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;

use super::{CardKind, Detail, Drawing, Erd};
use trueup_intent::written::Written;

/// Neighbours that one picture shows; a table that everything references has more than can be read.
pub(crate) const MOST: usize = 24;

impl Erd {
    /// The neighbours of each table of the service: what it references, and what references it.
    pub(crate) fn neighbours(&self, tables: usize) -> Vec<BTreeSet<usize>> {
        let mut all = vec![BTreeSet::new(); tables];
        let table = |place: usize| match self.boxes[place].kind {
            CardKind::Table(position) => Some(position),
            CardKind::Service(_) | CardKind::Missing => None,
        };
        for relation in &self.relations {
            if let (Some(one), Some(other)) = (table(relation.from.0), table(relation.to.0))
                && one != other
            {
                all[one].insert(other);
                all[other].insert(one);
            }
        }
        all
    }

    /// One table with all its columns, its first neighbours with their keys, and the relations of that table alone.
    pub(crate) fn near(
        service: &DeclaredService,
        written: &Written,
        centre: usize,
        neighbours: &BTreeSet<usize>,
    ) -> Self {
        Self::around(service, written, &BTreeSet::from([centre]), neighbours)
    }

    /// The same of several tables; neighbours that are among them are no neighbours.
    pub(crate) fn around(
        service: &DeclaredService,
        written: &Written,
        centres: &BTreeSet<usize>,
        neighbours: &BTreeSet<usize>,
    ) -> Self {
        let mut drawing = Drawing::new(service, written);
        centres.iter().for_each(|table| drawing.add_table(*table, Detail::All));
        let shown = || neighbours.difference(centres).copied().take(MOST);
        shown().for_each(|table| drawing.add_table(table, Detail::Keys));
        centres.iter().for_each(|table| drawing.add_relations(*table, &|_| true));
        let to_a_centre = |target: Option<usize>| target.is_some_and(|target| centres.contains(&target));
        shown().for_each(|table| drawing.add_relations(table, &to_a_centre));
        drawing.erd
    }
}

#[cfg(test)]
mod tests {
    use trueup_intent::Source;

    use super::*;

    #[test]
    fn a_neighbourhood_has_the_table_its_neighbours_and_no_line_between_others() {
        let yaml = "s:\n  table_details:\n    a:\n      columns: [{name: id, type: UUID, constraints: PK}]\n    \
                    b:\n      columns:\n      - {name: id, type: UUID, constraints: PK}\n      - {name: a, type: UUID, constraints: FK -> a}\n      \
                    - {name: e, type: UUID, constraints: FK -> svc-x}\n      - {name: plain, type: TEXT}\n    \
                    c:\n      columns:\n      - {name: id, type: UUID, constraints: PK}\n      - {name: b, type: UUID, constraints: FK -> b}\n      \
                    - {name: a, type: UUID, constraints: FK -> a}\n      - {name: more, type: TEXT}\n    \
                    d:\n      columns: [{name: id, type: UUID, constraints: PK}, {name: c, type: UUID, constraints: FK -> c}]\n";
        let sources = [Source { path: "f".to_owned(), bytes: yaml.as_bytes().to_vec() }];
        let reading = trueup_intent::read(&sources);
        let (service, written) = (&reading.declared.services[0], reading.written);
        let neighbours = Erd::of(service, &written).neighbours(4);
        assert_eq!(neighbours[1], BTreeSet::from([0, 2]));
        let near = Erd::near(service, &written, 1, &neighbours[1]);
        let titles: Vec<_> = near.boxes.iter().map(|card| card.title.as_str()).collect();
        assert_eq!(titles, ["b", "a", "c", "svc-x"]);
        assert_eq!(near.boxes[0].rows.len(), 4, "all of its own columns");
        assert_eq!(near.boxes[2].left_out, "and 1 more column");
        // b to a, b to the service, c to b; not c to a.
        assert_eq!(
            near.relations.iter().map(|line| (line.from.0, line.to.0)).collect::<Vec<_>>(),
            [(1, 0), (3, 0), (0, 2)]
        );
    }
}
