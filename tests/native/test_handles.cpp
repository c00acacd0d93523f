#include <catch2/catch.hpp>
#include <set>

#include "handle_table.h"

using resemote_internal::Error;
using resemote_internal::HandleTable;

TEST_CASE("a handle gives its object until it is removed, and never after") {
  HandleTable<int> table(1, "number");
  void* const first = table.insert(std::make_shared<int>(7));
  CHECK(*table.find(first) == 7);
  CHECK(*table.remove(first) == 7);
  CHECK_THROWS_WITH(table.find(first), Catch::Contains("was destroyed"));
  CHECK_THROWS_AS(table.remove(first), Error);

  void* const second = table.insert(std::make_shared<int>(8));
  CHECK(second != first);  // the same place, another generation
  CHECK(*table.find(second) == 8);
  CHECK_THROWS_AS(table.find(first), Error);
}

TEST_CASE("handles are unique and survive those of others") {
  HandleTable<int> table(1, "number");
  std::set<void*> seen;
  for (int round = 0; round < 100; ++round) {
    void* const a = table.insert(std::make_shared<int>(round));
    void* const b = table.insert(std::make_shared<int>(-round));
    CHECK(seen.insert(a).second);
    CHECK(seen.insert(b).second);
    table.remove(a);
    CHECK(*table.find(b) == -round);
  }
}

TEST_CASE("what is no handle of the table is refused") {
  HandleTable<int> numbers(1, "number");
  HandleTable<int> others(2, "other");
  void* const foreign = others.insert(std::make_shared<int>(1));
  numbers.insert(std::make_shared<int>(1));
  int local = 0;
  CHECK_THROWS_AS(numbers.find(foreign), Error);
  CHECK_THROWS_AS(numbers.find(&local), Error);
  CHECK_THROWS_WITH(numbers.find(nullptr), Catch::Contains("null"));
}

TEST_CASE("an object lives on for who holds it while its handle is removed") {
  HandleTable<int> table(1, "number");
  void* const handle = table.insert(std::make_shared<int>(5));
  const std::shared_ptr<int> held = table.find(handle);
  table.remove(handle);
  CHECK(*held == 5);
  CHECK(held.use_count() == 1);
}
