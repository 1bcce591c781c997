// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/vmm/engine/processor_bench.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/interpreter.h"
#include "vmm/engine/translate/translator.h"

#include <atomic>
#include <span>
#include <string>

namespace namsan {

// A processor bench with the loop around it, and on request the translator: two of them run the same program to be
// compared. Every exception's gate leads to a HLT at handlerOf(vector), so a program ends at its first fault.
class TranslatorBench : public ProcessorBench {
public:
    static constexpr uint32_t code = 0x100000;
    static constexpr uint32_t data = 0x200000;
    static constexpr uint32_t stack = 0x300000;
    static constexpr uint32_t handlers = 0x6000;

    static uint32_t handlerOf(unsigned vector) { return handlers + 16 * vector; }

    enum class Place { Alone, OneOfTwo }; // the other one never does anything

    explicit TranslatorBench(std::optional<TranslatorOptions> options = {}, Place place = Place::Alone)
    {
        if (place == Place::OneOfTwo)
            cpu.place = { 0, 2 };
        enterProtectedMode();
        for (unsigned vector = 0; vector < 32; ++vector) {
            setGate(static_cast<uint8_t>(vector), makeGate(kernelCode, handlerOf(vector), 0x8e));
            put<uint8_t>(handlerOf(vector), 0xf4);
        }
        setGate(0x20, makeGate(kernelCode, handlerOf(32), 0x8e));
        put<uint8_t>(handlerOf(32), 0xf4);
        if (options)
            translator = std::move(*Translator::create(cpu, *memory, codeCache, decoder, attention, *options));
        interpreter.setAccelerator(translator.get());
        cpu.gpr[Esp] = stack;
    }

    static TranslatorOptions eager()
    {
        TranslatorOptions options;
        options.codeBytes = 8 << 20;
        options.hotAfter = 1;
        return options;
    }

    void load(uint32_t address, std::span<const uint8_t> bytes) { memory->write(address, bytes); }
    void load(uint32_t address, std::initializer_list<uint8_t> bytes)
    {
        memory->write(address, { bytes.begin(), bytes.size() });
    }

    Interpreter::Stop runFrom(uint32_t eip)
    {
        cpu.eip = cpu.nextEip = eip;
        cpu.halted = false;
        return interpreter.run();
    }

    // Interprets instruction by instruction until HLT or a triple fault; nothing where that takes more than so many.
    std::optional<Interpreter::Stop> stepUntilHalt(uint32_t eip, unsigned most);

    // Flags that the instructions so far have left undefined, and whether one has asked for such a flag.
    uint32_t undefinedFlags = 0;
    bool usedUndefinedFlags = false;
    void step(); // one instruction, or the delivery of its fault

    void noteFlags(const Instruction&);

    static const Decoder& sharedDecoder()
    {
        static const Decoder decoder;
        return decoder;
    }
    const Decoder& decoder = sharedDecoder();
    Attention attention;
    std::atomic<bool> a20Open = true;
    CodeCache codeCache { *memory, cpu.memory, bus, decoder, counters, attention };
    Interpreter interpreter { cpu, codeCache, attention, a20Open };
    std::unique_ptr<Translator> translator;
};

// What two processors differ in, in words; empty where they do not. flags: the arithmetic ones to compare.
std::string differenceOf(const TranslatorBench& interpreted, const TranslatorBench& translated, uint32_t flags);

} // namespace namsan
