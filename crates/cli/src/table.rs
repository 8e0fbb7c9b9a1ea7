//! Rows of text, for a person or for a script.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Row, TableStyle};

/// A line below the heading and nothing else: what is copied out stays clean.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A heading and rows.
#[derive(Debug)]
pub struct Table {
    heading: &'static [&'static str],
    rows: Vec<Vec<String>>,
    /// Columns that stay whole while the others are cut to one line; `None` wraps.
    whole: Option<&'static [usize]>,
}

impl Table {
    /// A table with this heading and no row.
    pub const fn new(heading: &'static [&'static str]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
            whole: None,
        }
    }

    /// On a terminal every row is one line: what is too long ends in `…`, except in
    /// these columns. In a pipe nothing is ever cut.
    #[must_use]
    pub const fn cut_except(mut self, whole: &'static [usize]) -> Self {
        self.whole = Some(whole);
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// For a terminal of this width with lines and a heading; for a pipe one row a
    /// line, tabs between, no heading, so that `cut` and `awk` can read it.
    pub fn render(&self, width: Option<u16>) -> String {
        let Some(width) = width else {
            let rows = self.rows.iter().map(|row| row.join("\t") + "\n");
            return rows.collect();
        };
        let mut table = comfy_table::Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(self.heading.iter().copied());
        let Some(whole) = self.whole else {
            table.add_rows(&self.rows);
            return table.trim_fmt() + "\n";
        };
        table.set_truncation_indicator("…");
        for row in &self.rows {
            let mut row = Row::from(row);
            row.max_height(1);
            table.add_row(row);
        }
        for column in whole {
            if let Some(column) = table.column_mut(*column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table.trim_fmt() + "\n"
    }
}

/// Sites choose titles and names of plugins: none of them may move the cursor, colour
/// the screen or start a new row.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn lines_in_a_pipe_and_a_table_on_a_terminal() {
        let mut table = Table::new(&["id", "name"]);
        table.row(["1".into(), "one\u{1b}[31m\tred".into()]);
        table.row(["2".into(), "two".into()]);
        assert_eq!(table.render(None), "1\tone [31m red\n2\ttwo\n");
        assert_snapshot!(table.render(Some(40)), @r"
         id   name
        ───────────────────
         1    one [31m red
         2    two
        ");
    }

    #[test]
    fn long_cells_are_cut_on_a_terminal_and_nowhere_else() {
        let mut table = Table::new(&["id", "site", "message"]).cut_except(&[0]);
        let long = "a message that goes on for longer than anybody has room for";
        table.row([
            "job_1x9qkd03mz7e".into(),
            "blog.example".into(),
            long.into(),
        ]);
        assert_eq!(
            table.render(None),
            format!("job_1x9qkd03mz7e\tblog.example\t{long}\n")
        );
        let shown = table.render(Some(50));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[2].contains("job_1x9qkd03mz7e") && lines[2].contains('…'));
        assert!(
            lines.iter().all(|line| line.chars().count() <= 50),
            "{shown}"
        );
    }
}
