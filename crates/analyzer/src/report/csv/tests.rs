use csv::{ReaderBuilder, StringRecord};

use super::*;
use crate::report::briefing::sample;

fn read(briefing: &Briefing) -> Vec<StringRecord> {
    let bytes = render(briefing);
    assert_eq!(bytes, render(briefing), "the same input, the same table");
    assert!(bytes.ends_with(b"\r\n"));
    let mut reader = ReaderBuilder::new().flexible(false).from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap(), &StringRecord::from(COLUMNS.to_vec()));
    let records: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    for record in &records {
        for (column, cell) in COLUMNS.iter().zip(record) {
            let is_number = ["base", "value", "delta"].contains(column);
            if is_number {
                assert!(cell.is_empty() || cell.parse::<i128>().is_ok(), "{cell}");
            } else {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            }
        }
    }
    records
}

#[test]
fn everything_is_in_one_table() {
    let records = read(&sample::gate());
    let rows: Vec<Vec<&str>> = records.iter().map(|record| record.iter().collect()).collect();
    let image = ["ghcr.io/acme/app:1", "linux/amd64"];
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0][..2], image);
    let figure = ["figure", "own-effective", "bytes", "189057171", "232258255", "43201084", "fail"];
    assert_eq!(rows[1][2..9], figure);
    // A budget that looks like a sum is text.
    assert_eq!(rows[1][9], "'+10.0 MiB");
    assert_eq!(rows[3][2..5], ["notice", "gate-max-increase", "bytes"]);
    assert!(rows[3][10].starts_with("Dockerfile:12: "));
    let list =
        ["who-grew", "RUN pip install -r requirements.txt | tee log", "bytes", "", "", "41733325"];
    assert_eq!(rows[4][2..8], list);
}

#[test]
fn no_cell_is_a_formula() {
    let records = read(&sample::hostile_names());
    for (record, bytes) in records.iter().zip(sample::HOSTILE) {
        let name = sample::text(bytes);
        let cell = record.get(0).unwrap();
        assert!(cell == name || cell == format!("'{name}"), "{cell}");
    }
    assert!(records.iter().any(|record| &record[0] == "'=cmd|'/C calc'!A0"));
    let records = read(&sample::briefing(vec![sample::hostile()]));
    assert_eq!(records.len(), 1 + 3 * sample::HOSTILE.len());
}

#[test]
fn nothing_is_left_out() {
    assert_eq!(read(&sample::briefing(vec![sample::huge()])).len(), 300_001);
}
