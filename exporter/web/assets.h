// The files of the live page, which are part of the program. Thread-safe: they never change.

#pragma once

#include "exporter/http/router.h"

namespace vigia::web {

// Serves the page under "/" and its files under "/assets/", compressed at build time, with an
// entity tag each, so that a browser that has them asks only whether they are still the same.
void AddPage(http::Router& router);

}  // namespace vigia::web
