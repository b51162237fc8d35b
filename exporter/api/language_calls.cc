// format_query and parse_query.

#include "core/text/json.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/printer.h"

namespace vigia::api {
namespace {

using promql::Expr;
using promql::NodeKind;
using text::JsonWriter;

void WriteTree(JsonWriter& json, const Expr& expr);

void WriteStrings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.Key(key).BeginArray();
  for (const auto& item : list) json.String(item);
  json.EndArray();
}

void WriteShift(JsonWriter& json, const promql::TimeShift& shift) {
  using At = promql::TimeShift::At;
  json.Key("offset").Integer(shift.offset);
  json.Key("timestamp");
  if (shift.at == At::kTime) {
    json.Integer(shift.time);
  } else {
    json.Null();
  }
  json.Key("startOrEnd");
  if (shift.at == At::kStart) {
    json.String("start");
  } else if (shift.at == At::kEnd) {
    json.String("end");
  } else {
    json.Null();
  }
}

void WriteSelector(JsonWriter& json, const promql::VectorSelector& selector) {
  json.Field("name", selector.name);
  json.Key("matchers").BeginArray();
  for (const auto& matcher : selector.matchers) {
    json.BeginObject();
    json.Field("name", matcher.name).Field("value", matcher.value);
    json.Field("type", promql::Spelling(matcher.op));
    json.EndObject();
  }
  json.EndArray();
  WriteShift(json, selector.shift);
}

void WriteMatching(JsonWriter& json, const promql::Binary& binary) {
  json.Key("matching");
  if (!binary.matching) {
    json.Null();
    return;
  }
  constexpr std::string_view kCards[] = {"one-to-one", "many-to-one", "one-to-many",
                                         "many-to-many"};
  const auto& matching = *binary.matching;
  json.BeginObject();
  json.Field("card", kCards[static_cast<std::size_t>(matching.card)]);
  WriteStrings(json, "labels", matching.labels);
  json.Key("on").Bool(matching.on);
  WriteStrings(json, "include", matching.include);
  json.EndObject();
}

void WriteFunction(JsonWriter& json, const promql::Function& function) {
  json.Key("func").BeginObject();
  json.Field("name", function.name);
  json.Key("argTypes").BeginArray();
  for (const auto type : function.args()) json.String(promql::ApiName(type));
  json.EndArray();
  json.Key("variadic").Integer(function.variadic);
  json.Field("returnType", promql::ApiName(function.returns));
  json.EndObject();
}

void WriteChild(JsonWriter& json, std::string_view key, const promql::ExprPtr& child) {
  json.Key(key);
  if (child) {
    WriteTree(json, *child);
  } else {
    json.Null();
  }
}

void WriteNumber(JsonWriter& json, const promql::NumberLiteral& number) {
  json.Field("type", "numberLiteral").Field("val", promql::ToString(number));
}

void WriteAggregate(JsonWriter& json, const promql::Aggregate& aggregate) {
  json.Field("type", "aggregation").Field("op", promql::Spelling(aggregate.op));
  WriteChild(json, "expr", aggregate.expr);
  WriteChild(json, "param", aggregate.parameter);
  WriteStrings(json, "grouping", aggregate.grouping);
  json.Key("without").Bool(aggregate.without);
}

void WriteBinary(JsonWriter& json, const promql::Binary& binary) {
  json.Field("type", "binaryExpr").Field("op", promql::Spelling(binary.op));
  WriteChild(json, "lhs", binary.left);
  WriteChild(json, "rhs", binary.right);
  WriteMatching(json, binary);
  json.Key("bool").Bool(binary.return_bool);
}

void WriteCall(JsonWriter& json, const promql::Call& call) {
  json.Field("type", "call");
  WriteFunction(json, call.function);
  json.Key("args").BeginArray();
  for (const auto& argument : call.args) WriteTree(json, *argument);
  json.EndArray();
}

void WriteSubquery(JsonWriter& json, const promql::Subquery& subquery) {
  json.Field("type", "subquery");
  WriteChild(json, "expr", subquery.expr);
  json.Key("range").Integer(subquery.window);
  json.Key("step").Integer(subquery.step);
  WriteShift(json, subquery.shift);
}

// The tree as Prometheus' page draws it (web/api/v1/translate_ast.go). The parser bounds its
// height.
void WriteTree(JsonWriter& json, const Expr& expr) {
  json.BeginObject();
  switch (expr.kind) {
    case NodeKind::kNumber:
      WriteNumber(json, static_cast<const promql::NumberLiteral&>(expr));
      break;
    case NodeKind::kString:
      json.Field("type", "stringLiteral");
      json.Field("val", static_cast<const promql::StringLiteral&>(expr).value);
      break;
    case NodeKind::kVectorSelector:
      json.Field("type", "vectorSelector");
      WriteSelector(json, static_cast<const promql::VectorSelector&>(expr));
      break;
    case NodeKind::kMatrixSelector: {
      const auto& matrix = static_cast<const promql::MatrixSelector&>(expr);
      json.Field("type", "matrixSelector");
      json.Key("range").Integer(matrix.window);
      WriteSelector(json, *matrix.selector);
      break;
    }
    case NodeKind::kSubquery:
      WriteSubquery(json, static_cast<const promql::Subquery&>(expr));
      break;
    case NodeKind::kUnary: {
      const auto& unary = static_cast<const promql::Unary&>(expr);
      json.Field("type", "unaryExpr").Field("op", promql::Spelling(unary.op));
      WriteChild(json, "expr", unary.expr);
      break;
    }
    case NodeKind::kBinary:
      WriteBinary(json, static_cast<const promql::Binary&>(expr));
      break;
    case NodeKind::kParen:
      json.Field("type", "parenExpr");
      WriteChild(json, "expr", static_cast<const promql::Paren&>(expr).expr);
      break;
    case NodeKind::kAggregate:
      WriteAggregate(json, static_cast<const promql::Aggregate&>(expr));
      break;
    case NodeKind::kCall:
      WriteCall(json, static_cast<const promql::Call&>(expr));
      break;
  }
  json.EndObject();
}

http::Response FormatQuery(const ApiContext& context, const http::Request& request) {
  const auto query = context.engine.Parse(request.Parameter("query"));
  if (!query) return Failure(FromQuery(query.error()));
  std::string data;
  text::AppendJsonString(data, promql::Prettify((*query)->root()));
  return Success(request, data);
}

http::Response ParseQuery(const ApiContext& context, const http::Request& request) {
  const auto query = context.engine.Parse(request.Parameter("query"));
  if (!query) return Failure(FromQuery(query.error()));
  std::string data;
  JsonWriter json(data);
  WriteTree(json, (*query)->root());
  return Success(request, data);
}

}  // namespace

void AddLanguageCalls(http::Router& router, const ApiContext& context) {
  AddCall(router, "/api/v1/format_query",
          [context](const auto& request) { return FormatQuery(context, request); });
  AddCall(router, "/api/v1/parse_query",
          [context](const auto& request) { return ParseQuery(context, request); });
}

}  // namespace vigia::api
