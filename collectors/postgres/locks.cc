// Locks by database and mode, and connection limits of roles.

#include <array>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr std::array<std::string_view, 2> kLockLabels{"datname", "mode"};
constexpr std::array kLockValues{
    Value{{"pg_locks_count", "Locks held or awaited, by database and mode."}},
};
constexpr Query kLocks{[](int) -> std::string {
                         return R"(
SELECT d.datname, lower(m.mode), coalesce(l.locks, 0)
FROM pg_database d
CROSS JOIN (VALUES ('AccessShareLock'), ('RowShareLock'), ('RowExclusiveLock'),
                   ('ShareUpdateExclusiveLock'), ('ShareLock'), ('ShareRowExclusiveLock'),
                   ('ExclusiveLock'), ('AccessExclusiveLock'), ('SIReadLock')) m (mode)
LEFT JOIN (SELECT database, mode, count(*) AS locks FROM pg_locks
           WHERE database IS NOT NULL GROUP BY database, mode) l
  ON l.database = d.oid AND l.mode = m.mode
ORDER BY 1, 2)";
                       },
                       kLockLabels, kLockValues};

constexpr std::array<std::string_view, 1> kRoleLabels{"rolname"};
constexpr std::array kRoleValues{
    Value{{"pg_roles_connection_limit", "Connections that the role may have at once; -1: any."}},
};
constexpr Query kRoles{
    [](int) -> std::string { return "SELECT rolname, rolconnlimit FROM pg_roles"; }, kRoleLabels,
    kRoleValues};

}  // namespace

void AddLocks(Subjects& subjects) { subjects.push_back(MakeQuerySubject("locks", kLocks)); }

void AddRoles(Subjects& subjects) { subjects.push_back(MakeQuerySubject("roles", kRoles)); }

}  // namespace vigia::collectors::postgres
