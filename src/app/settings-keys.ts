/** Keys of the settings, and the part of the settings that a list of keys chooses: so that a part can read no key that it does not name. Types only. */
import type { Settings } from '../config/settings.ts';

type Section = keyof Settings;
type List = readonly unknown[];

/** `pollInterval`, or `limits.rateBurst`. What is deeper belongs to the key above it. */
export type SettingsKey = Section | { [S in Section]: NonNullable<Settings[S]> extends List ? never : NestedKey<S> }[Section];

type NestedKey<S extends Section> =
  NonNullable<Settings[S]> extends object ? `${S}.${keyof NonNullable<Settings[S]> & string}` : never;
type SectionOf<K> = K extends `${infer S}.${string}` ? S : K;
type FieldOf<K, S extends string> = K extends `${S}.${infer F}` ? F : never;

/** The settings at these keys and no others. */
export type Chosen<K extends SettingsKey> = {
  [S in keyof Settings as S extends SectionOf<K> ? S : never]: S extends K
    ? Settings[S]
    : Pick<NonNullable<Settings[S]>, FieldOf<K, S> & keyof NonNullable<Settings[S]>>;
};
