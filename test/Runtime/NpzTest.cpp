//===- NpzTest.cpp - arrays that NumPy wrote, whole and damaged -----------===//

#include "tern/Runtime/Npz.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Files.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace tern::runtime;
namespace fs = std::filesystem;

namespace {

/// A folder that goes with the test.
class Folder {
public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "tern-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char *name) const { return path / name; }
  size_t count() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }

private:
  fs::path path;
};

std::string npy(std::string header, const std::string &elements) {
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += {1, 0, static_cast<char>(header.size()), 0};
  return bytes + header + elements;
}

std::string messageOf(const std::string &bytes) {
  try {
    parseNpy(bytes);
  } catch (const InputError &error) {
    return error.what();
  }
  return "no error";
}

NamedTensors makeArrays() {
  NamedTensors arrays;
  Tensor floats(TERN_F32, {2, 3});
  for (int i = 0; i < 6; ++i)
    floats.data<float>()[i] = static_cast<float>(i) / 4;
  arrays.emplace_back("floats", std::move(floats));
  arrays.emplace_back("a/scalar", Tensor(TERN_I64, {}));
  arrays.back().second.data<int64_t>()[0] = -5;
  arrays.emplace_back("empty", Tensor(TERN_U8, {0, 7}));
  return arrays;
}

/// Parses `bytes`; whatever they are, nothing but InputError comes out.
void parseDamaged(const std::string &bytes) {
  try {
    parseNpz(bytes);
  } catch (const InputError &) {
  }
}

} // namespace

TEST(Tensor, HasNoElementsHoweverLargeTheOtherDimensions) {
  // The product of all but the last fits 64 bits only without a sign.
  Tensor tensor(TERN_BOOL, {2, 709551615, 551615, 20000, 0});
  EXPECT_EQ(tensor.numElements(), 0);
  EXPECT_EQ(tensor.numBytes(), 0u);
}

TEST(Npz, ReadsWhatNumPyDeflated) {
  NamedTensors arrays = readNpz(TERN_TEST_INPUTS "/deflated.npz");
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[0].first, "x");
  EXPECT_EQ(arrays[0].second.dims(), (std::vector<int64_t>{4, 10}));
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(arrays[0].second.data<float>()[i], static_cast<float>(i));
  EXPECT_EQ(arrays[1].second.dtype(), TERN_BOOL);
  EXPECT_EQ(arrays[2].second.dims(), (std::vector<int64_t>{0, 3}));
}

TEST(Npz, ReadsWhatItWrites) {
  Folder folder;
  std::string path = folder / "a.npz";
  writeNpz(path, makeArrays());
  NamedTensors arrays = readNpz(path);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[0].second.data<float>()[5], 1.25f);
  EXPECT_EQ(arrays[1].first, "a/scalar");
  EXPECT_EQ(arrays[1].second.dims(), std::vector<int64_t>{});
  EXPECT_EQ(arrays[1].second.data<int64_t>()[0], -5);
  EXPECT_EQ(arrays[2].second.dims(), (std::vector<int64_t>{0, 7}));
}

// Without the flag, Python reads names as code page 437.
TEST(Npz, SaysThatNamesAreUtf8) {
  Folder folder;
  std::string path = folder / "a.npz";
  writeNpz(path, makeArrays());
  std::string bytes = readFile(path);
  size_t central = bytes.find("PK\x01\x02");
  ASSERT_NE(central, std::string::npos);
  EXPECT_EQ(bytes[7] & 8, 8);           // bit 11 of the local header's flags
  EXPECT_EQ(bytes[central + 9] & 8, 8); // and of the directory's
}

TEST(Npz, DamageIsAnErrorAndNoMore) {
  Folder folder;
  std::string path = folder / "a.npz";
  writeNpz(path, makeArrays());
  for (const std::string &bytes :
       {readFile(path), readFile(TERN_TEST_INPUTS "/deflated.npz")}) {
    for (size_t size = 0; size < bytes.size(); ++size)
      parseDamaged(bytes.substr(0, size));
    for (size_t i = 0; i < bytes.size(); ++i)
      for (char value : {'\0', '\x01', '\x7F', '\xFF'}) {
        std::string damaged = bytes;
        damaged[i] = value;
        parseDamaged(damaged);
      }
  }
}

TEST(Npz, NoticesAFlippedBit) {
  std::string bytes = readFile(TERN_TEST_INPUTS "/deflated.npz");
  std::string text = bytes;
  text[text.find(".npy") + 40] ^= 1;
  EXPECT_THROW(parseNpz(text), InputError);
}

TEST(Npz, LeavesNoFileBehindThatItCannotFinish) {
  Folder folder;
  EXPECT_THROW(writeNpz(folder / "no/such/folder.npz", makeArrays()),
               InputError);
  {
    AtomicFile file(folder / "b.npz");
    file.write("half", 4);
    EXPECT_EQ(folder.count(), 1u);
    EXPECT_FALSE(fs::exists(folder / "b.npz"));
  }
  EXPECT_EQ(folder.count(), 0u);
}

TEST(Npz, ReportsAFullDisk) {
  try {
    writeNpz("/dev/full", makeArrays());
    FAIL();
  } catch (const InputError &error) {
    EXPECT_STREQ(error.what(),
                 "cannot write '/dev/full': No space left on device");
  }
  EXPECT_TRUE(fs::is_character_file("/dev/full")) << "not replaced";
}

TEST(Npz, ReplacesAFileAtOnce) {
  Folder folder;
  std::string path = folder / "a.npz";
  std::ofstream(path) << "old";
  writeNpz(path, makeArrays());
  EXPECT_EQ(readNpz(path).size(), 3u);
  EXPECT_EQ(folder.count(), 1u);
}

TEST(Npy, AcceptsEveryFormOfHeader) {
  // 1.0 and 2.0, big-endian.
  std::string ones("\x3F\x80\0\0\x40\0\0\0", 8);
  Tensor big = parseNpy(
      npy("{\"shape\":(2,),'fortran_order': False, 'descr':'>f4'}", ones));
  EXPECT_EQ(big.data<float>()[0], 1);
  EXPECT_EQ(big.data<float>()[1], 2);
  // Columns first: [[1, 3, 5], [2, 4, 6]].
  Tensor fortran =
      parseNpy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
                   "\1\2\3\4\5\6"));
  std::vector<uint8_t> expected = {1, 3, 5, 2, 4, 6};
  EXPECT_EQ(std::vector<uint8_t>(fortran.data<uint8_t>(),
                                 fortran.data<uint8_t>() + 6),
            expected);
  Tensor truth =
      parseNpy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}",
                   std::string("\0\1\xFF", 3)));
  EXPECT_EQ(truth.data<uint8_t>()[2], 1) << "any other byte is true";
}

TEST(Npy, SaysWhatIsWrong) {
  std::string rest = "'fortran_order': False, 'shape': ";
  EXPECT_EQ(messageOf("PK"),
            "no NumPy array: its first bytes are not \\x93NUMPY");
  EXPECT_EQ(messageOf(npy("{'descr': '<f4', " + rest + "(2,)}", "1234")),
            "the array's header claims 8 bytes, found 4");
  EXPECT_EQ(
      messageOf(npy("{'descr': '<f4', " + rest + "(4611686018427387904, 4)}",
                    "1234")),
      "the array's header claims too many bytes, found 4");
  EXPECT_EQ(messageOf(npy("{'descr': '<c8', " + rest + "()}", "12345678")),
            "element type '<c8' is not supported");
  EXPECT_EQ(messageOf(npy("{'descr': [('a', '<f4')], " + rest + "()}", "")),
            "arrays of structures are not supported");
  EXPECT_EQ(
      messageOf(npy("{'descr': '|u1', " + rest + "(1,1,1,1,1,1,1,1,1)}", "1")),
      "the array has 9 dimensions; at most 8 are supported");
  EXPECT_EQ(messageOf(npy("{'descr': '|u1', " + rest + "(-1,)}", "")),
            "malformed array header: no dimension of at least 0 in {'descr': "
            "'|u1', 'fortran_order': False, 'shape': (-1,)}\n");
}

TEST(Halves, ConvertAsIeee754Says) {
  struct Case {
    float value;
    uint16_t half;
  };
  // Ties go to even; 65519.99 is the last that does not round to infinity.
  for (Case c :
       {Case{0, 0}, Case{-0.0f, 0x8000}, Case{1, 0x3C00}, Case{-2, 0xC000},
        Case{65504, 0x7BFF}, Case{65519.99f, 0x7BFF}, Case{65520, 0x7C00},
        Case{INFINITY, 0x7C00}, Case{1 + 0x1p-11f, 0x3C00},
        Case{1 + 0x1.8p-10f, 0x3C02}, Case{0x1p-24f, 1}, Case{0x1p-25f, 0},
        Case{0x1.8p-24f, 2}, Case{0x1p-14f, 0x400}, Case{0x1.FF8p-15f, 0x3FF}})
    EXPECT_EQ(floatToHalf(c.value), c.half) << c.value;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t half = static_cast<uint16_t>(bits);
    float value = halfToFloat(half);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value))));
    else
      ASSERT_EQ(floatToHalf(value), half);
  }
}

TEST(Bfloat16, RoundsToNearestEven) {
  EXPECT_EQ(floatToBfloat16(1), 0x3F80);
  EXPECT_EQ(floatToBfloat16(1 + 0x1p-8f), 0x3F80) << "a tie, down to even";
  EXPECT_EQ(floatToBfloat16(1 + 0x1.8p-7f), 0x3F82) << "a tie, up to even";
  EXPECT_EQ(floatToBfloat16(1 + 0x1.02p-8f), 0x3F81);
  EXPECT_EQ(floatToBfloat16(INFINITY), 0x7F80);
  EXPECT_TRUE(std::isnan(bfloat16ToFloat(floatToBfloat16(NAN))));
  EXPECT_EQ(bfloat16ToFloat(0xC040), -3);
}
