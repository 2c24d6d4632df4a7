//===- UnicodeSupplement.cpp - characters newer than PCRE2's --------------===//
//
// From the Unicode Character Database, versions 15.0 to 16.0; tokenizer.test
// compares samples with the `tokenizers` package.
//
//===----------------------------------------------------------------------===//

#include "UnicodeSupplement.h"

#include <charconv>
#include <cstdint>
#include <iterator>

using namespace tern::runtime;

namespace {

struct Range {
  uint32_t first, last;
};

struct Category {
  std::string_view name;
  const Range *begin, *end;
};

constexpr Range kL[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},
    {0x105C0, 0x105F3}, {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85},
    {0x10EC2, 0x10EC4}, {0x1123F, 0x11240}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5},
    {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3},
    {0x11BC0, 0x11BE0}, {0x11F02, 0x11F02}, {0x11F04, 0x11F10},
    {0x11F12, 0x11F33}, {0x1342F, 0x1342F}, {0x13441, 0x13446},
    {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C},
    {0x18CFF, 0x18CFF}, {0x1B132, 0x1B132}, {0x1B155, 0x1B155},
    {0x1DF25, 0x1DF2A}, {0x1E030, 0x1E06D}, {0x1E4D0, 0x1E4EB},
    {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0}, {0x2B739, 0x2B739},
    {0x2EBF0, 0x2EE5D}, {0x31350, 0x323AF}};

constexpr Range kLl[] = {{0x1C8A, 0x1C8A},
                         {0xA7CD, 0xA7CD},
                         {0xA7DB, 0xA7DB},
                         {0x10D70, 0x10D85},
                         {0x1DF25, 0x1DF2A}};

constexpr Range kLm[] = {{0x10D4E, 0x10D4E}, {0x10D6F, 0x10D6F},
                         {0x16D40, 0x16D42}, {0x16D6B, 0x16D6C},
                         {0x1E030, 0x1E06D}, {0x1E4EB, 0x1E4EB}};

constexpr Range kLo[] = {
    {0x105C0, 0x105F3}, {0x10D4A, 0x10D4D}, {0x10D4F, 0x10D4F},
    {0x10EC2, 0x10EC4}, {0x1123F, 0x11240}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5},
    {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3},
    {0x11BC0, 0x11BE0}, {0x11F02, 0x11F02}, {0x11F04, 0x11F10},
    {0x11F12, 0x11F33}, {0x1342F, 0x1342F}, {0x13441, 0x13446},
    {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D43, 0x16D6A},
    {0x18CFF, 0x18CFF}, {0x1B132, 0x1B132}, {0x1B155, 0x1B155},
    {0x1E4D0, 0x1E4EA}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0},
    {0x2B739, 0x2B739}, {0x2EBF0, 0x2EE5D}, {0x31350, 0x323AF}};

constexpr Range kLu[] = {{0x1C89, 0x1C89},
                         {0xA7CB, 0xA7CC},
                         {0xA7DA, 0xA7DA},
                         {0xA7DC, 0xA7DC},
                         {0x10D50, 0x10D65}};

constexpr Range kM[] = {
    {0x897, 0x897},     {0xCF3, 0xCF3},     {0xECE, 0xECE},
    {0x10D69, 0x10D6D}, {0x10EFC, 0x10EFF}, {0x11241, 0x11241},
    {0x113B8, 0x113C0}, {0x113C2, 0x113C2}, {0x113C5, 0x113C5},
    {0x113C7, 0x113CA}, {0x113CC, 0x113D0}, {0x113D2, 0x113D2},
    {0x113E1, 0x113E2}, {0x11F00, 0x11F01}, {0x11F03, 0x11F03},
    {0x11F34, 0x11F3A}, {0x11F3E, 0x11F42}, {0x11F5A, 0x11F5A},
    {0x13440, 0x13440}, {0x13447, 0x13455}, {0x1611E, 0x1612F},
    {0x1E08F, 0x1E08F}, {0x1E4EC, 0x1E4EF}, {0x1E5EE, 0x1E5EF}};

constexpr Range kN[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3},
                        {0x11BF0, 0x11BF9}, {0x11F50, 0x11F59},
                        {0x16130, 0x16139}, {0x16D70, 0x16D79},
                        {0x1CCF0, 0x1CCF9}, {0x1D2C0, 0x1D2D3},
                        {0x1E4F0, 0x1E4F9}, {0x1E5F1, 0x1E5FA}};

// The rest of N are numbers that are no digits.
constexpr Range kNd[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
    {0x11F50, 0x11F59}, {0x16130, 0x16139}, {0x16D70, 0x16D79},
    {0x1CCF0, 0x1CCF9}, {0x1E4F0, 0x1E4F9}, {0x1E5F1, 0x1E5FA}};

constexpr Range kP[] = {{0x1B4E, 0x1B4F},   {0x1B7F, 0x1B7F},
                        {0x10D6E, 0x10D6E}, {0x113D4, 0x113D5},
                        {0x113D7, 0x113D8}, {0x11B00, 0x11B09},
                        {0x11BE1, 0x11BE1}, {0x11F43, 0x11F4F},
                        {0x16D6D, 0x16D6F}, {0x1E5FF, 0x1E5FF}};

constexpr Category kCategories[] = {{"L", std::begin(kL), std::end(kL)},
                                    {"Ll", std::begin(kLl), std::end(kLl)},
                                    {"Lm", std::begin(kLm), std::end(kLm)},
                                    {"Lo", std::begin(kLo), std::end(kLo)},
                                    {"Lu", std::begin(kLu), std::end(kLu)},
                                    {"M", std::begin(kM), std::end(kM)},
                                    {"N", std::begin(kN), std::end(kN)},
                                    {"Nd", std::begin(kNd), std::end(kNd)},
                                    {"P", std::begin(kP), std::end(kP)}};

void appendHex(std::string &text, uint32_t value) {
  char digits[8];
  auto result = std::to_chars(digits, digits + sizeof(digits), value, 16);
  text += "\\x{";
  text.append(digits, result.ptr);
  text += '}';
}

} // namespace

std::string tern::runtime::getSupplement(std::string_view category) {
  std::string ranges;
  for (const Category &known : kCategories) {
    if (known.name != category)
      continue;
    for (const Range *range = known.begin; range != known.end; ++range) {
      appendHex(ranges, range->first);
      ranges += '-';
      appendHex(ranges, range->last);
    }
  }
  return ranges;
}
