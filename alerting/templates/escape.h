// Escapes of text for HTML, JavaScript and URLs, as Go's text/template has them.

#pragma once

#include <string>
#include <string_view>

namespace vigia::alerting::templates {

// & < > " ' as entities, a zero byte as U+FFFD.
std::string EscapeHtml(std::string_view text);
// For inside of a JavaScript string.
std::string EscapeJavaScript(std::string_view text);
// For a value in the query of a URL; a space is a plus sign.
std::string EscapeQuery(std::string_view text);
// For a segment of the path of a URL; a space is %20.
std::string EscapePath(std::string_view text);

}  // namespace vigia::alerting::templates
