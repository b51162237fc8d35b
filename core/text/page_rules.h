// What a page has to obey beyond its grammar: the rules that PageParser checks when strict.
//
// Each function returns what is wrong, or an empty string.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/text/family_table.h"
#include "core/text/format.h"

namespace vigia::text {

struct PageSample;

// Whether the format itself has this word for a type; "counter, gauge, ..." for a message.
bool IsTypeWord(std::string_view word, Format format);
std::string TypeWords(Format format);

// Of a HELP, TYPE or UNIT line; `repeated` says that the family has had one.
std::string DescriptionProblem(const FamilyTable::Entry& entry, bool repeated,
                               std::string_view keyword);

// Of a sample's name in the family that the table chose for it.
std::string MembershipProblem(const FamilyTable& families, const FamilyTable::Entry& entry,
                              std::string_view sample_name);

// Of a sample's labels, value and exemplar (null for none).
std::string SampleProblem(Format format, const FamilyTable::Entry& entry, const PageSample& sample,
                          const std::vector<LabelView>* exemplar);

}  // namespace vigia::text
