//! The example's migration makes the table that the usage log writes to.

#[test]
fn the_example_has_the_table() {
    let migration = include_str!("../../examples/gateway/migrations/0001_usage_records.sql");
    assert_eq!(migration, include_str!("../src/usage/d1.sql"));
}
