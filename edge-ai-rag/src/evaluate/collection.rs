use std::fmt;

use serde::Deserialize;

use super::Qrels;

/// A judged collection: documents, queries, and which answers which.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Collection {
    /// What is searched.
    pub documents: Vec<CollectionDocument>,
    /// What is asked.
    pub queries: Vec<CollectionQuery>,
    /// The judgements.
    pub qrels: Qrels,
}

/// A document of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CollectionDocument {
    /// Its name in the judgements.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its title, where it has one.
    #[serde(default)]
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A query of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CollectionQuery {
    /// Its name in the judgements.
    #[serde(rename = "_id")]
    pub id: String,
    /// What is asked.
    pub text: String,
}

/// A file of a collection does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionError {
    /// Which of the files: `documents`, `queries` or `qrels`.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for CollectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.problem)
    }
}

impl std::error::Error for CollectionError {}

impl Collection {
    /// Reads a collection in BEIR's form (<https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset>): `corpus.jsonl`,
    /// `queries.jsonl` and `qrels/test.tsv`, whose columns are query, document and grade.
    ///
    /// # Errors
    /// The first line that does not read.
    pub fn beir(corpus: &str, queries: &str, qrels: &str) -> Result<Self, CollectionError> {
        let mut read = Qrels::default();
        for (at, line) in lines(qrels) {
            let wrong = |problem: &str| error("qrels", at, problem);
            let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
            let &[query, document, grade] = columns.as_slice() else {
                return Err(wrong(
                    "three columns are expected, with tabs between them: query, document, grade",
                ));
            };
            match grade.parse::<i64>() {
                // Below zero is worse than not relevant; no measure here tells the two apart.
                Ok(grade) => read.judge(query, document, u32::try_from(grade.max(0)).unwrap_or(u32::MAX)),
                Err(_) if at == 1 => {}
                Err(_) => return Err(wrong("the grade is not a whole number")),
            }
        }
        Ok(Self {
            documents: json_lines("documents", corpus)?,
            queries: json_lines("queries", queries)?,
            qrels: read,
        })
    }

    /// Reads a collection in the form of SMART, as CISI, Cranfield and MEDLINE are (<https://ir.dcs.gla.ac.uk/resources/test_collections/>):
    /// records that begin with `.I` and a number, with `.T` before the title and `.W` before the text; and judgements of query and document,
    /// all of grade 1.
    ///
    /// # Errors
    /// The first line that does not read.
    pub fn smart(documents: &str, queries: &str, qrels: &str) -> Result<Self, CollectionError> {
        let mut read = Qrels::default();
        for (at, line) in lines(qrels) {
            let mut columns = line.split_whitespace();
            match (columns.next(), columns.next()) {
                (Some(query), Some(document)) => read.judge(query, document, 1),
                _ => return Err(error("qrels", at, "query and document are expected")),
            }
        }
        let queries = records("queries", queries)?.into_iter();
        let queries = queries.map(|record| CollectionQuery {
            id: record.id,
            text: record.text,
        });
        Ok(Self {
            documents: records("documents", documents)?,
            queries: queries.collect(),
            qrels: read,
        })
    }
}

fn records(file: &'static str, text: &str) -> Result<Vec<CollectionDocument>, CollectionError> {
    let mut records: Vec<CollectionDocument> = Vec::new();
    let mut field = ' ';
    for (at, line) in lines(text) {
        let mut mark = line.chars();
        if let (Some('.'), Some(name @ 'A'..='Z')) = (mark.next(), mark.next())
            && (mark.as_str().is_empty() || name == 'I')
        {
            field = name;
            if name == 'I' {
                let id = mark.as_str().trim();
                if id.is_empty() {
                    return Err(error(file, at, "a record needs a number after `.I`"));
                }
                let record = CollectionDocument {
                    id: id.to_owned(),
                    ..CollectionDocument::default()
                };
                records.push(record);
            }
            continue;
        }
        let Some(record) = records.last_mut() else {
            continue;
        };
        let into = match field {
            'T' => &mut record.title,
            'W' => &mut record.text,
            _ => continue,
        };
        if !into.is_empty() {
            into.push('\n');
        }
        into.push_str(line.trim());
    }
    Ok(records)
}

fn json_lines<T: for<'de> Deserialize<'de>>(
    file: &'static str,
    text: &str,
) -> Result<Vec<T>, CollectionError> {
    let read = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|problem| error(file, at, &problem.to_string()))
    };
    lines(text).map(read).collect()
}

/// The lines that are not empty, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim_end()));
    numbered.filter(|(_, line)| !line.is_empty())
}

fn error(file: &'static str, line: usize, problem: &str) -> CollectionError {
    CollectionError {
        file,
        line,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn smart_records_are_read() {
        let documents = ".X\n.I 1\n.T\nOn titles\n.A\nDoe, J.\n.W\n   The first.\n.5 of it\nThe end.\n.X\n1\t5\t1\n.I 2\n.W\nOther.\n";
        let collection = Collection::smart(
            documents,
            ".I 7\n.W\nWhat is\nfirst?\n",
            "     7      1\t0\t0.000000\n     7      2\t0\t0.0\n",
        )
        .unwrap();
        assert_eq!(collection.documents.len(), 2);
        assert_eq!(collection.documents[0].title, "On titles");
        assert_eq!(collection.documents[0].text, "The first.\n.5 of it\nThe end.");
        assert_eq!(collection.queries[0].text, "What is\nfirst?");
        assert_eq!(
            (collection.qrels.grade("7", "2"), collection.qrels.grade("7", "3")),
            (1, 0)
        );
    }

    #[test]
    fn beir_files_are_read() {
        let collection = Collection::beir(
            "{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"x\", \"metadata\": {}}\n{\"_id\": \"d2\", \"text\": \"y\"}\n",
            "{\"_id\": \"q\", \"text\": \"?\"}\n",
            "query-id\tcorpus-id\tscore\nq\td1\t2\nq\td2\t-1\n",
        )
        .unwrap();
        assert_eq!(collection.documents[1].title, "");
        assert_eq!(
            (
                collection.qrels.grade("q", "d1"),
                collection.qrels.grade("q", "d2")
            ),
            (2, 0)
        );
    }

    #[test]
    fn a_broken_line_is_told() {
        let wrong = |corpus, qrels| Collection::beir(corpus, "", qrels).unwrap_err().to_string();
        assert!(wrong("{\"_id\": \"d\", \"text\": \"x\"}\n{", "").starts_with("documents, line 2: EOF"));
        assert!(wrong("", "q d 1").starts_with("qrels, line 1: three columns"));
        assert!(wrong("", "q\td\tscore\nq\td\tx").starts_with("qrels, line 2: the grade"));
        let error = Collection::smart(".I\n", "", "").unwrap_err();
        assert_eq!((error.file, error.line), ("documents", 1));
    }

    proptest! {
        #[test]
        fn no_text_is_a_crash(a in "(\\.[IWTX]? ?|\\PC|\n){0,60}", b in "(\\PC|[\t\n]){0,60}") {
            let _ = Collection::smart(&a, &a, &b);
            let _ = Collection::beir(&a, &a, &b);
        }
    }
}
